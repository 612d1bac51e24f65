import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { SnapshotFile } from "@comeback/engine";
import { SeededRandom } from "@comeback/testkit";
import { Client, type SnapshotJson } from "../drivers/client.ts";
import { writeSnapshots } from "../drivers/many-snapshots.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** Commands that remove snapshots are killed: what was to stay is there, and the rest is whole. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_264);
const KILLS = Number(process.env["COMEBACK_TEST_KILLS"] ?? 20);
const TAG_KILLS = Math.ceil(KILLS / 2);
const KILLS_BETWEEN_PROOFS = 10;
/** So many that a command is at work for long enough to be killed in the middle of it. */
const SNAPSHOTS = 600;
const START_MS = Date.UTC(2026, 0, 1);

const folder = memoryFolder("kill-forget");
const repository = join(folder, "repository");
const comeback = new Client(COMEBACK, repository);
const restic = new Client(RESTIC_018, repository);
const random = new SeededRandom(SEED);
let template: SnapshotFile;

function storedIds(): string[] {
  return readdirSync(join(repository, "snapshots")).filter((name) => /^[0-9a-f]{64}$/.test(name));
}

/** Brings the repository to its full number of snapshots, each a quarter of an hour apart. */
async function refill(): Promise<string[]> {
  const missing = SNAPSHOTS - storedIds().length;
  const files = Array.from({ length: Math.max(0, missing) }, () => ({
    ...template,
    time: new Date(START_MS + random.integer(0, SNAPSHOTS) * 900_000).toISOString(),
  }));
  await writeSnapshots(repository, files);
  return storedIds();
}

before(async () => {
  const source = makeFolder(folder, "source");
  for (const name of ["a", "b", "c"]) writeFileSync(join(source, name), random.bytes(50_000));
  await makeQuickRepository(repository);
  await comeback.backup([source]);
  const [first] = await comeback.snapshots();
  const { tree, paths, hostname } = first as SnapshotJson;
  template = { time: "", tree, paths, hostname };
});

/**
 * Runs a command and kills it: at any moment, or once so many of the snapshots that it replaces or
 * removes are gone. False where it ended first.
 */
async function kill(args: readonly string[], ids: readonly string[]): Promise<boolean> {
  const running = comeback.start([...args, "-q"]);
  if (random.chance(30)) {
    await Promise.race([sleep(random.integer(50, 500)), running.finished]);
  } else {
    const old = new Set(ids);
    const left = ids.length - random.integer(1, ids.length / 2);
    const isRunning = (): boolean => running.child.exitCode === null;
    while (isRunning() && storedIds().filter((id) => old.has(id)).length > left)
      await setImmediate();
  }
  running.child.kill("SIGKILL");
  const finished = await running.finished;
  if (finished.signal === "SIGKILL") return true;
  assert.equal(finished.exitCode, 0, finished.describe());
  return false;
}

/** Both tools find the repository clean; ours first, which clears the locks of the dead. */
async function prove(): Promise<void> {
  await comeback.done(["check"]);
  await restic.done(["unlock"]);
  await restic.done(["check"]);
}

interface Trial {
  readonly args: readonly string[];
  /** Fails where something is missing that has to be there; says how much was done. */
  verify(): "nothing" | "some" | "all" | Promise<"nothing" | "some" | "all">;
}

/** Kills until it was done often enough. */
async function killOften(
  t: TestContext,
  killCount: number,
  makeTrial: (ids: string[]) => Promise<Trial>,
): Promise<void> {
  const outcomes = { nothing: 0, some: 0, all: 0 };
  let kills = 0;
  for (let runs = 0; kills < killCount; runs++) {
    assert.ok(runs < 4 * killCount, `only ${kills} of ${runs} runs could be killed`);
    const ids = await refill();
    const { args, verify } = await makeTrial(ids);
    const killed = await kill(args, ids);
    const outcome = await verify();
    if (!killed) continue;
    kills++;
    outcomes[outcome]++;
    if (kills % KILLS_BETWEEN_PROOFS === 0) await prove();
  }
  t.diagnostic(`${killCount} kills; done by then: ${JSON.stringify(outcomes)}`);
  assert.ok(outcomes.some > 0, "no kill came while snapshots were removed");
  await prove();
}

test(`forget: nothing but the plan is gone after kill -9 at ${KILLS} moments, seed ${SEED}`, (t) =>
  killOften(t, KILLS, async (ids) => {
    const args = ["forget", "--keep-last", String(random.integer(1, 50)), "--keep-daily", "9"];
    const groups = await comeback.json<{ readonly keep: readonly { readonly id: string }[] }[]>([
      ...args,
      "--dry-run",
    ]);
    const keep = groups.flatMap((group) => group.keep.map(({ id }) => id));
    return {
      args,
      verify: () => {
        const left = storedIds();
        assert.deepEqual(new Set(keep).difference(new Set(left)), new Set());
        assert.deepEqual(new Set(left).difference(new Set(ids)), new Set());
        return left.length === ids.length ? "nothing" : left.length > keep.length ? "some" : "all";
      },
    };
  }));

/** What the snapshots are, whatever their ids are by now. */
async function firstIds(): Promise<Set<string>> {
  const all = await comeback.json<(SnapshotJson & { readonly original?: string })[]>(["snapshots"]);
  return new Set(all.map(({ id, original = id }) => original));
}

test(`tag: no snapshot is lost after kill -9 at ${TAG_KILLS} moments`, (t) => {
  let number = 0;
  return killOften(t, TAG_KILLS, async (ids) => {
    const expected = await firstIds();
    return {
      args: ["tag", "--add", `tag-${++number}`],
      verify: async () => {
        assert.deepEqual(expected.difference(await firstIds()), new Set());
        const untouched = new Set(ids).intersection(new Set(storedIds())).size;
        return untouched === ids.length ? "nothing" : untouched > 0 ? "some" : "all";
      },
    };
  });
});
