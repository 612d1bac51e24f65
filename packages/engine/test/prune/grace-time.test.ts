import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isComebackError } from "@comeback/core";
import { type MemoryBackend, SeededRandom } from "@comeback/testkit";
import { backup } from "../../src/archive/backup.ts";
import { runTasksInThisThread } from "../../src/cpu-pool/in-this-thread.ts";
import { RepositoryLock } from "../../src/repository/lock.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { folderSource } from "../archive/folder-source.ts";
import { RepositoryBuilder } from "../repository-builder.ts";
import { checkAll, contents, HOUR_MS, openAt, pruneAt, START_MS } from "./prune-fixture.ts";

/**
 * What protects a running backup is that a prune looks at locks, and waits. Every order of the steps
 * of one backup and three prunes is tried, with these rules and without each of them: without, data
 * is lost, so that this can fail.
 */
const MINUTE_MS = 60_000;
const BACKUP = ["lock", "read the index", "save"] as const;
const PRUNES = 3;
type Step = (typeof BACKUP)[number] | "prune";

/** How a prune comes to know of the backup. */
interface Rules {
  /** The backup's lock file is there; or somebody has removed it behind its back. */
  readonly hasLock: boolean;
  readonly keepDeleteMs: number;
  /** How far the clock of the prunes that mark is behind: marks then look older than the backup. */
  readonly marksTooOldMs?: number;
}

const LOCK_ALONE: Rules = { hasLock: true, keepDeleteMs: 0 };
const GRACE_ALONE: Rules = { hasLock: false, keepDeleteMs: HOUR_MS };
const NEITHER: Rules = { hasLock: false, keepDeleteMs: 0 };
const WRONG_MARKS: Rules = { hasLock: true, keepDeleteMs: 0, marksTooOldMs: 2 * HOUR_MS };

const folder = mkdtempSync(join(tmpdir(), "comeback-grace-"));
const file = new SeededRandom(1).bytes(2000);
let inThisThread: Disposable;
/** A snapshot of the file was made and removed: a pack holds what nobody needs. */
let scene: MemoryBackend;

before(async () => {
  inThisThread = runTasksInThisThread(new SeededRandom(2));
  mkdirSync(join(folder, "source"));
  writeFileSync(join(folder, "source", "file"), file);
  await using builder = await RepositoryBuilder.create();
  const repository = await openAt(builder.backend, START_MS);
  await repository.loadIndex();
  await save(repository);
  for (const { id } of await listSnapshots(repository)) {
    await builder.backend.remove({ type: "snapshot", name: id });
  }
  scene = builder.backend.clone();
});
after(() => {
  inThisThread[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

async function save(repository: Repository): Promise<void> {
  await backup({
    repository,
    source: folderSource(join(folder, "source")),
    time: { seconds: Math.floor(START_MS / 1000), nanoseconds: 0 },
    hostname: "host",
    programVersion: "test",
    readConcurrency: 1,
  });
}

/** Every order in which the steps can come. */
function orders(backupSteps: readonly Step[], prunes: number): Step[][] {
  const [first, ...rest] = backupSteps;
  if (first === undefined) return [Array.from({ length: prunes }, () => "prune")];
  const now = orders(rest, prunes).map((order) => [first, ...order]);
  if (prunes === 0) return now;
  return [...now, ...orders(backupSteps, prunes - 1).map((order): Step[] => ["prune", ...order])];
}

/** What a backup and prunes in this order leave: whether its snapshot is whole; packs deleted. */
async function run(
  order: readonly Step[],
  rules: Rules,
): Promise<{ isWhole: boolean; deleted: number }> {
  const backend = scene.clone();
  let nowMs = START_MS + 24 * HOUR_MS;
  let deleted = 0;
  const repository = await openAt(backend.sharing(), nowMs);
  let lock: RepositoryLock | undefined;
  for (const step of order) {
    nowMs += MINUTE_MS;
    if (step === "lock") {
      // As of this step: it may have been opened long before.
      const { clock } = await openAt(backend.sharing(), nowMs);
      lock = await RepositoryLock.acquire(repository, { exclusive: false, clock });
      if (!rules.hasLock) await removeLocks(backend);
    } else if (step === "read the index") {
      await repository.loadIndex();
    } else if (step === "save") {
      await save(repository);
      await lock?.[Symbol.asyncDispose]();
    } else {
      const packs = await prune(backend, nowMs, rules);
      // It refuses to go on where a snapshot lacks something.
      if (packs === undefined) return { isWhole: false, deleted };
      deleted += packs;
    }
  }
  const { problems } = await checkAll(backend);
  const isWhole = problems.length === 0;
  if (isWhole) assert.equal((await contents(backend)).size, 1);
  return { isWhole, deleted };
}

/** How many packs it deletes; `undefined` where it finds that something is lost. */
async function prune(
  backend: MemoryBackend,
  nowMs: number,
  { keepDeleteMs, marksTooOldMs = 0 }: Rules,
): Promise<number | undefined> {
  const repository = await openAt(backend.sharing(), nowMs);
  const { marks } = await repository.loadIndex({ includeMarked: true });
  const atMs = nowMs - (marks.size === 0 ? marksTooOldMs : 0);
  try {
    return (await pruneAt(backend.sharing(), atMs, { keepDeleteMs })).result.packsDeleted;
  } catch (error) {
    if (isComebackError(error, "repository.damaged")) return undefined;
    throw error;
  }
}

async function removeLocks(backend: MemoryBackend): Promise<void> {
  for await (const { name } of backend.list("lock")) await backend.remove({ type: "lock", name });
}

/** The orders in which data was lost, and how often a pack was deleted at all. */
async function tryAll(rules: Rules): Promise<{ lost: string[]; deleting: number }> {
  const lost: string[] = [];
  let deleting = 0;
  for (const order of orders(BACKUP, PRUNES)) {
    const { isWhole, deleted } = await run(order, rules);
    if (!isWhole) lost.push(order.join(", "));
    if (deleted > 0) deleting++;
  }
  return { lost, deleting };
}

test("every order is tried", () => {
  // Three of six places for the prunes.
  assert.equal(new Set(orders(BACKUP, PRUNES).map((order) => order.join())).size, 20);
});

test("the look at locks alone protects a backup in every order, and prunes delete", async () => {
  const { lost, deleting } = await tryAll(LOCK_ALONE);
  assert.deepEqual(lost, []);
  assert.ok(deleting > 0, "no prune deleted anything: this has shown nothing");
});

test("the grace time alone protects a backup that is shorter", async () => {
  assert.deepEqual((await tryAll(GRACE_ALONE)).lost, []);
});

test("without both, a backup loses the pack that was marked and deleted meanwhile", async () => {
  const { lost } = await tryAll(NEITHER);
  assert.ok(lost.includes("lock, read the index, prune, prune, save, prune"), lost.join("\n"));
  // Nothing but what the rules are for: it knew the pack, and both prunes came before it saved.
  for (const order of lost) {
    assert.match(order, /read the index.*prune.*save/);
  }
});

test("marks that look older than the backup are no protection: the comparison is", async () => {
  const { lost } = await tryAll(WRONG_MARKS);
  assert.ok(lost.includes("lock, read the index, prune, prune, save, prune"), lost.join("\n"));
});
