import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { SnapshotFile } from "@comeback/engine";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { writeSnapshots } from "../drivers/many-snapshots.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import type { Finished } from "../drivers/run-program.ts";
import { memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/**
 * What is forgotten and what is kept, and why, is exactly what restic decides: on snapshots of any
 * time and zone, read in any local zone, for any policy that both know.
 */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_263);
const REPOSITORIES = 3;
const POLICIES = Number(process.env["COMEBACK_TEST_POLICIES"] ?? 20);

const HOSTS = ["nas", "laptop", "mail"];
const PATH_SETS = [["/home"], ["/etc", "/home"], ["/home", "/etc"]];
const TAG_SETS = [[], [], ["daily"], ["db", "daily"], ["daily", "db"], ["keep me"]];
/** Zones that snapshots were written in, and in which they are looked at. */
const OFFSETS = ["Z", "+01:00", "+02:00", "-03:30", "-02:30", "+05:45", "+10:30", "+11:00"];
const ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"];
const DAY_MS = 86_400_000;

/** A time with nanoseconds; the clock's part of the text need not be the local time anywhere. */
function randomTime(random: SeededRandom, nowMs: number): string {
  const spanDays = random.pick([2, 20, 90, 800, 2000]);
  const aheadMs = random.chance(2) ? 40 * DAY_MS : 0;
  let ms = nowMs - random.integer(0, spanDays * DAY_MS) + aheadMs;
  // Ends of months, years and weeks, and the hours in which clocks are changed.
  if (random.chance(15)) {
    const year = random.integer(2020, 2026);
    const [month, day] = random.pick([
      [0, 1],
      [0, 3],
      [1, 29],
      [2, 31],
      [9, 25],
      [11, 31],
    ] as const);
    ms = Date.UTC(year, month, day, random.integer(0, 3), random.integer(0, 59));
  }
  const nanoseconds = String(random.integer(0, 999_999_999)).padStart(9, "0");
  const seconds = new Date(ms).toISOString().slice(0, 19);
  return `${seconds}.${nanoseconds.replace(/0+$/, "") || "1"}${random.pick(OFFSETS)}`;
}

function randomSnapshots(random: SeededRandom): SnapshotFile[] {
  const nowMs = Date.now();
  return Array.from({ length: random.integer(60, 400) }, () => {
    return {
      time: randomTime(random, nowMs),
      tree: random.hex(32),
      paths: random.pick(PATH_SETS),
      hostname: random.pick(HOSTS),
      tags: random.pick(TAG_SETS),
    };
  });
}

function randomDuration(random: SeededRandom): string {
  const parts = [
    [random.integer(1, 3), "y"],
    [random.integer(1, 14), "m"],
    [random.integer(1, 40), "d"],
    [random.integer(1, 50), "h"],
  ].filter(() => random.chance(40));
  return parts.length === 0 ? `${random.integer(1, 60)}d` : parts.flat().join("");
}

function randomPolicy(random: SeededRandom): string[] {
  const args: string[] = [];
  for (const period of ["last", "hourly", "daily", "weekly", "monthly", "yearly"]) {
    if (!random.chance(25)) continue;
    const count = random.chance(5) ? "unlimited" : String(random.integer(0, 15));
    args.push(`--keep-${period}`, count);
  }
  for (const period of ["", "-hourly", "-daily", "-weekly", "-monthly", "-yearly"]) {
    if (random.chance(18)) args.push(`--keep-within${period}`, randomDuration(random));
  }
  if (random.chance(15)) args.push("--keep-tag", random.pick(["db", "daily,db", "keep me", "no"]));
  if (random.chance(10)) args.push("--keep-tag", random.pick(["keep me", "", "daily"]));
  if (random.chance(20)) args.push("--host", random.pick([...HOSTS, "nobody"]));
  if (random.chance(15)) args.push("--tag", random.pick(["daily", "db,daily", "", "none"]));
  if (random.chance(15)) args.push("--path", random.pick(["/etc", "/home"]));
  if (random.chance(60)) {
    const by = ["", "host", "paths", "tags", "host,tags", "host,paths,tags", "tag,path"];
    args.push("--group-by", random.pick(by));
  }
  return args;
}

interface GroupJson {
  readonly tags: readonly string[] | null;
  readonly host: string;
  readonly paths: readonly string[] | null;
  readonly keep: readonly { readonly id: string }[] | null;
  readonly remove: readonly { readonly id: string }[] | null;
  readonly reasons:
    | readonly { readonly snapshot: { readonly id: string }; readonly matches: readonly string[] }[]
    | null;
}

function groupsOf({ stdout }: Finished): GroupJson[] {
  const text = stdout.toString("utf8").trim();
  // restic prints nothing at all where no snapshot passes the filters.
  return (text === "" ? [] : JSON.parse(text)) as GroupJson[];
}

/** The decisions of a run, in one order; `refused` where there are none. */
function decisions(finished: Finished): unknown {
  if (finished.exitCode !== 0) return "refused";
  return groupsOf(finished)
    .map(({ tags, host, paths, keep, remove, reasons, ...others }) => ({
      others: Object.keys(others),
      group: JSON.stringify([host, paths, tags]),
      keep: keep?.map(({ id }) => id) ?? null,
      remove: remove?.map(({ id }) => id) ?? null,
      reasons: reasons?.map(({ snapshot, matches }) => [snapshot.id, ...matches]) ?? null,
    }))
    .toSorted((a, b) => (a.group < b.group ? -1 : 1));
}

for (let number = 0; number < REPOSITORIES; number++) {
  const seed = SEED + number;
  test(`random policies on random snapshots, seed ${seed}`, async (t: TestContext) => {
    const random = new SeededRandom(seed);
    const repository = join(memoryFolder("forget-like-restic"), "repository");
    await makeQuickRepository(repository);
    await writeSnapshots(repository, randomSnapshots(random));
    const [ours, theirs] = [COMEBACK, RESTIC_018].map((tool) => new Client(tool, repository));
    let decided = 0;
    let removed = 0;
    for (let policy = 0; policy < POLICIES; policy++) {
      const args = ["forget", "--dry-run", "--no-lock", "--json", ...randomPolicy(random)];
      const env = { TZ: random.pick(ZONES) };
      const [own, expected] = await Promise.all([
        ours!.run(args, { env }),
        theirs!.run(args, { env }),
      ]);
      const about = `seed ${seed}, policy ${policy}, TZ=${env.TZ}\n${expected.describe().slice(0, 600)}`;
      assert.deepEqual(decisions(own), decisions(expected), `${about}\n${own.stderr}`);
      if (expected.exitCode !== 0) continue;
      decided++;
      if (groupsOf(own).some((group) => group.remove !== null)) removed++;
    }
    t.diagnostic(`${decided} of ${POLICIES} policies were decided, the others refused`);
    assert.ok(removed > 0, "nothing was ever to be removed");
    assert.ok(decided > POLICIES / 2, "too few policies were decided");
  });
}
