import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { s3BackendFactory } from "@comeback/backend-s3";
import { BACKUP_TYPES, type BackupType } from "@comeback/core";
import { loadConfiguration, Timetable } from "@comeback/operations";
import { SeededRandom } from "@comeback/testkit";
import { Client, type SnapshotJson } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { Guide } from "../drivers/guide.ts";
import { PlanProgram, type RunSeen } from "../drivers/plan-program.ts";
import { makeQuickRepository, makeQuickRepositoryIn } from "../drivers/quick-repository.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { RESTIC_018 } from "../drivers/tools.ts";
import { environmentOf, S3Client } from "../s3/s3-clients.ts";
import { startCeph } from "../services/ceph-rgw/start-ceph.ts";

/** docs/guides/full-differential-incremental.md: a month of nights, with a real object store. */
const FROM = Date.parse("2026-02-28T12:00:00Z");
const UNTIL = Date.parse("2026-04-01T12:00:00Z");
const TIERS = ["local", "nas", "archive"] as const;

const folder = memoryFolder("tiers");
const ceph = await startCeph();
after(() => ceph[Symbol.asyncDispose]());
const data = new Corpus(makeFolder(folder, "data"), new SeededRandom(511), { small: 60, large: 0 });
const places = { local: join(folder, "local"), nas: join(folder, "nas") };
const archive = `s3:${ceph.endpoint}/archive/server`;
const keys = { id: join(folder, "aws-id"), secret: join(folder, "aws-secret") };
writeFileSync(keys.id, ceph.user.accessKey, { mode: 0o600 });
writeFileSync(keys.secret, ceph.user.secretKey, { mode: 0o600 });
const program = new PlanProgram({
  guide: new Guide("full-differential-incremental"),
  folder,
  places: {
    "/var/backup/comeback": places.local,
    "/mnt/nas/comeback": places.nas,
    "s3:https://s3.eu-central-1.amazonaws.com/example-backup/server": archive,
    "/etc/comeback/aws-id": keys.id,
    "/etc/comeback/aws-secret": keys.secret,
    "/srv/data": data.folder,
  },
});

/** The nights of the configuration's own schedule; of those that fall together, the strongest. */
async function nights(): Promise<{ atMs: number; type: BackupType }[]> {
  const { configuration } = await loadConfiguration({
    path: program.configurationPath,
    env: {},
    signal: new AbortController().signal,
  });
  const { triggers } = configuration.plans["server"]?.schedule ?? assert.fail("no schedule");
  const found = new Map<number, BackupType>();
  for (const type of ["incremental", "differential", "full"] as const) {
    const timetable = new Timetable(triggers[type] ?? "", configuration.timezone ?? "");
    for (const atMs of timetable.occurrences(FROM, UNTIL)) found.set(atMs, type);
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([atMs, type]) => ({ atMs, type }));
}

interface Night {
  readonly day: string;
  readonly type: BackupType;
  readonly run: RunSeen;
  /** The data as they were. */
  readonly copy: string;
}

async function makeRepositories(): Promise<void> {
  await makeQuickRepository(places.local);
  await makeQuickRepository(places.nas);
  const env = { ...process.env, ...environmentOf(ceph.user) };
  await makeQuickRepositoryIn(await s3BackendFactory.create(archive, { env }));
}

async function sleepThrough({ atMs, type }: { atMs: number; type: BackupType }): Promise<Night> {
  const day = new Date(atMs).toISOString().slice(0, 10);
  data.change(5);
  const copy = join(folder, "copies", day);
  execFileSync("cp", ["-a", "--reflink=auto", data.folder, makeFolder(copy, "..") && copy]);
  const args = ["--type", type, "--trigger", "schedule", "--scheduled-for", String(atMs)];
  const run = await program.run("server", { args, env: { COMEBACK_TEST_NOW_MS: String(atMs) } });
  return { day, type, run, copy };
}

async function held(tier: string): Promise<SnapshotJson[]> {
  const all = await program.on(tier).json<SnapshotJson[]>(["snapshots", "--tag", "source:data"]);
  return all.toSorted((a, b) => a.time.localeCompare(b.time));
}

function daysOf(snapshots: readonly SnapshotJson[]): string[] {
  return snapshots.map(({ time, tags = [] }) => {
    const type = BACKUP_TYPES.find((one) => tags.includes(`type:${one}`));
    return `${time.slice(0, 10)} ${type}`;
  });
}

test("a month of nights: types, parents, and what each tier holds", async () => {
  await makeRepositories();
  await program.check();
  const month: Night[] = [];
  const seen = new Map<string, SnapshotJson>();
  for (const night of await nights()) {
    month.push(await sleepThrough(night));
    // Looked at every week: the older ones are gone by the end of the month.
    if (night.type === "incremental") continue;
    for (const snapshot of await held("local")) seen.set(snapshot.id, snapshot);
  }
  assert.deepEqual(
    month.filter(({ type }) => type !== "incremental").map(({ day, type }) => `${day} ${type}`),
    [
      "2026-03-01 full",
      "2026-03-08 differential",
      "2026-03-15 differential",
      "2026-03-22 differential",
      // Clocks go forward at 02:00: it runs at 03:00, which is one hour of UTC earlier.
      "2026-03-29 differential",
      "2026-04-01 full",
    ],
  );
  assert.equal(month.length, 32);

  let lastFull: string | undefined;
  let last: string | undefined;
  for (const { day, type, run } of month) {
    assert.equal(run.outcome, "ok", `${day}: ${run.finished.describe()}`);
    const { backupType, summary } = run.source("data");
    assert.equal(backupType, type, day);
    const id = run.snapshotOf("data", "local");
    const parents: Record<BackupType, string | undefined> = {
      full: undefined,
      differential: lastFull,
      incremental: last,
    };
    assert.ok(seen.has(id), day);
    assert.equal(seen.get(id)?.parent, parents[type], day);
    if (type === "full") assert.equal(summary?.files_unmodified, 0, day);
    else assert.ok((summary?.files_unmodified ?? 0) > 0, day);
    last = id;
    if (type === "full") lastFull = id;
  }

  const [inLocal, inNas, inArchive] = await Promise.all(TIERS.map(held));
  assert.deepEqual(
    inLocal?.map(({ id }) => id),
    month.slice(-14).map(({ run }) => run.snapshotOf("data", "local")),
  );
  assert.deepEqual(daysOf(inNas ?? []), [
    "2026-03-15 differential",
    "2026-03-22 differential",
    "2026-03-29 differential",
    "2026-04-01 full",
  ]);
  assert.deepEqual(daysOf(inArchive ?? []), ["2026-03-01 full", "2026-04-01 full"]);

  const restic = {
    local: new Client(RESTIC_018, places.local),
    nas: new Client(RESTIC_018, places.nas),
    archive: new S3Client(RESTIC_018, archive, environmentOf(ceph.user)),
  };
  const target = join(folder, "restored");
  for (const [place, tier] of TIERS.entries()) {
    await restic[tier].check();
    const snapshots = [inLocal, inNas, inArchive][place] ?? [];
    for (const [index, { id, time }] of snapshots.entries()) {
      const { copy } = month.find(({ day }) => time.startsWith(day)) ?? assert.fail(time);
      // By both programs in turn: each snapshot by itself.
      await (index % 2 === 0 ? program.on(tier) : restic[tier]).restore(id, target);
      assertSameTree(copy, join(target, data.folder));
      rmSync(target, { recursive: true });
    }
  }
});
