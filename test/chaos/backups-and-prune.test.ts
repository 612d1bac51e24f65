import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { planPrune } from "@comeback/engine";
import { SeededRandom } from "@comeback/testkit";
import { checkpointTimes } from "../drivers/checkpoints.ts";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { endInput, feed } from "../drivers/feed.ts";
import { MarkedBatch } from "../drivers/marked-batches.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { openFolder } from "../drivers/small-history.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_263);
const SOAK_SECONDS = Number(process.env["COMEBACK_SOAK_SECONDS"] ?? 120);
const ROUNDS_MIN = 3;
/** Beside somebody at work nothing is deleted that was marked lately: so there are pauses. */
const PAUSE_MAX_MS = 2500;
const KEPT = 3;
/** Marked before any backup of this test began, so that they go beside all of them. */
const BATCHES = 5;
const MARKED_HOURS_AGO = 3;
const MiB = 1024 * 1024;
const PRUNE = ["prune", "--max-unused", "0", "--keep-delete", "0s"];

const folder = memoryFolder("soak");
const repository = join(folder, "repository");
const ours = new Client(COMEBACK, repository);
/** Contents of packs that are marked, which the machines save all the same. */
const comesBack = Array.from({ length: BATCHES }, (_, i) => new SeededRandom(SEED + i).bytes(MiB));

/** Until when all go on. However slow the machine is, some rounds are done by then. */
class Deadline {
  readonly #endMs: number = performance.now() + SOAK_SECONDS * 1000;

  isOver(rounds: number): boolean {
    return performance.now() >= this.#endMs && rounds >= ROUNDS_MIN;
  }

  /** Whether this part of the time is over. */
  isPast(share: number): boolean {
    return performance.now() >= this.#endMs - (1 - share) * SOAK_SECONDS * 1000;
  }
}

/** One machine that is backed up again and again, and remembers what it looked like each time. */
class Machine {
  readonly host: string;
  readonly corpus: Corpus;
  /** What a snapshot has to give, by its tag. */
  readonly expected = new Map<string, string>();
  backups = 0;
  resumedFiles = 0;
  readonly #random: SeededRandom;
  readonly #copies: string;
  readonly #cache: string;

  constructor(host: string, random: SeededRandom) {
    this.host = host;
    this.#random = random;
    this.#copies = makeFolder(folder, `${host}-copies`);
    this.#cache = makeFolder(folder, `${host}-cache`);
    this.corpus = new Corpus(makeFolder(folder, host), random, { small: 150, large: 3 });
  }

  async backUpUntil(deadline: Deadline): Promise<void> {
    while (!deadline.isOver(this.backups)) {
      // Now and then nothing of the parent is left, so that data of a pruned one comes again.
      this.corpus.change(this.#random.pick([5, 40, 100]));
      writeFileSync(join(this.corpus.folder, "comes-back"), this.#random.pick(comesBack));
      const state = `${this.host}-${this.backups}`;
      const copy = join(this.#copies, state);
      execFileSync("cp", ["-a", this.corpus.folder, copy]);
      this.expected.set(state, copy);
      const args = ["--host", this.host, "--tag", state, "--pack-size", "4"];
      if (this.#random.chance(40)) await this.#interruptOne(args);
      const env = { XDG_CACHE_HOME: this.#cache };
      const summary = await ours.backup([this.corpus.folder], { args, env });
      this.resumedFiles += summary.resumed_files ?? 0;
      this.backups++;
      await sleep(this.#random.integer(0, PAUSE_MAX_MS));
      // Only the newest are kept, but a forget may be a few backups late.
      for (const old of [...this.expected.keys()].slice(0, -4 * KEPT)) {
        rmSync(this.expected.get(old)!, { recursive: true });
        this.expected.delete(old);
      }
    }
  }

  /** What the next one goes on from, nobody needs in the eyes of a prune. */
  async #interruptOne(args: readonly string[]): Promise<void> {
    const signal = this.#random.pick(["SIGINT", "SIGKILL"] as const);
    const pauseMs = this.#random.integer(0, 100);
    const packs = storedFiles(repository, "data").length;
    const env = { COMEBACK_TEST_CHECKPOINT_MS: "50", XDG_CACHE_HOME: this.#cache };
    const before = checkpointTimes(this.#cache);
    const { child, finished } = ours.start(["backup", "-q", ...args, this.corpus.folder], { env });
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await waitUntil("packs", () => isOver() || storedFiles(repository, "data").length > packs + 1);
    await waitUntil("a checkpoint", () => isOver() || checkpointTimes(this.#cache) !== before);
    await Promise.race([sleep(pauseMs), finished]);
    child.kill(signal);
    await finished;
  }
}

/** Forgets and prunes all the time, with as little grace as there can be. */
class Pruner {
  prunes = 0;
  /** Packs that went while somebody was certainly at work, and whenever it was. */
  deletedBeside = 0;
  deleted = 0;
  /** What the backups from standard input gave, by their tags. */
  readonly streams = new Map<string, Uint8Array>();
  readonly #batches: readonly MarkedBatch[];

  constructor(batches: readonly MarkedBatch[]) {
    this.#batches = batches;
  }

  async pruneUntil(deadline: Deadline): Promise<void> {
    for (let next = 0; next < this.#batches.length || !deadline.isOver(this.prunes);) {
      await ours.done(["forget", "--keep-last", String(KEPT), "--group-by", "host"]);
      const isDue = deadline.isPast((next + 1) / (this.#batches.length + 1));
      const batch = isDue ? this.#batches[next] : undefined;
      if (batch === undefined) await this.#prune();
      else await this.#pruneBesideBackup(batch, next++);
    }
  }

  async #prune(): Promise<void> {
    const before = storedFiles(repository, "data");
    await ours.done([...PRUNE, ...(this.prunes++ % 2 === 0 ? ["--repack-small"] : [])]);
    const after = new Set(storedFiles(repository, "data"));
    this.deleted += before.filter((pack) => !after.has(pack)).length;
  }

  /** One backup lasts for as long as the prune does, however slow the machine is. */
  async #pruneBesideBackup(batch: MarkedBatch, number: number): Promise<void> {
    const tag = `stream-${number}`;
    const data = new SeededRandom(SEED + 100 + number).bytes(24 * MiB);
    this.streams.set(tag, data);
    const args = ["backup", "-q", "--stdin", "--host", "stream", "--tag", tag, "--pack-size", "4"];
    const running = ours.start(args, { inputStaysOpen: true });
    // It has read more than waits in pipes: so it has its lock, and has read the index.
    await feed(running, data);
    batch.putInto(repository);
    await this.#prune();
    assert.equal(running.child.exitCode, null, "the backup is still under way");
    const left = new Set(storedFiles(repository, "data"));
    const kept = batch.packs.filter((pack) => left.has(pack));
    assert.deepEqual(kept, [], "what was marked before anybody began is deleted beside all");
    this.deletedBeside += batch.packs.length;
    endInput(running);
    const finished = await running.finished;
    assert.equal(finished.exitCode, 0, finished.describe());
  }
}

/** Every snapshot that is listed gives what was there when it was made. */
async function assertAllComeBack(machines: readonly Machine[], pruner: Pruner): Promise<number> {
  const snapshots = await ours.snapshots();
  for (const { id, hostname, tags: [state = ""] = [] } of snapshots) {
    const stream = pruner.streams.get(state);
    if (stream !== undefined) {
      const { stdout } = await ours.done(["dump", id, "/stdin"]);
      assert.ok(stdout.equals(stream), state);
      continue;
    }
    const machine = machines.find(({ host }) => host === hostname);
    const expected = machine?.expected.get(state) ?? assert.fail(`${id}, ${state}: it is too old`);
    const target = makeFolder(folder, "restored");
    await ours.restore(`${id}:${machine!.corpus.folder}`, target);
    assertSameTree(expected, target, { tops: false });
    rmSync(target, { recursive: true });
  }
  return snapshots.length;
}

/** Nothing is left that no snapshot needs, and nothing is there twice. */
async function assertNothingUnused(): Promise<void> {
  await using opened = await openFolder(repository);
  const maxUnused = { kind: "size", sizeBytes: 0 } as const;
  const { plan } = await planPrune({ repository: opened, maxUnused });
  assert.deepEqual([plan.unused.bytes, plan.duplicate.bytes, plan.changes], [0, 0, []]);
}

test(`two back up while one forgets and prunes, ${SOAK_SECONDS} s, seed ${SEED}`, async (t: TestContext) => {
  await makeQuickRepository(repository);
  const batches: MarkedBatch[] = [];
  for (const [i, content] of comesBack.entries()) {
    const aside = join(folder, `batch-${i}`);
    const markedMs = Date.now() - MARKED_HOURS_AGO * 3_600_000;
    batches.push(await MarkedBatch.make({ repository, aside, contents: [content], markedMs }));
  }
  // Both from one seed: what one machine stores, the other stores as well, and prune may take.
  const machines = ["one", "two"].map((host) => new Machine(host, new SeededRandom(SEED)));
  const pruner = new Pruner(batches);
  const deadline = new Deadline();
  await Promise.all([
    machines[0]!.backUpUntil(deadline),
    machines[1]!.backUpUntil(deadline),
    pruner.pruneUntil(deadline),
  ]);
  assert.ok(pruner.deletedBeside >= BATCHES, "each of these prunes deleted something");

  // The copies of older ones are gone. What the last backups built on is listed again by a prune
  // (until then, restic does not see it), and nothing that they could need is deleted by it.
  await ours.done(["forget", "--keep-last", String(KEPT), "--group-by", "host"]);
  await assertAllComeBack(machines, pruner);
  await ours.done(["prune", "--max-unused", "0"]);
  const listed = await assertAllComeBack(machines, pruner);
  assert.ok(listed >= 2 * KEPT, `${listed} snapshots`);
  await ours.check();
  await new Client(RESTIC_018, repository).check();
  await new Client(RESTIC_014, repository).check();
  assert.deepEqual(storedFiles(repository, "locks"), []);
  t.diagnostic(
    `${machines.map(({ backups }) => backups).join(" + ")} backups, ${pruner.prunes} prunes, ` +
      `${listed} snapshots left, ${pruner.deleted} packs deleted meanwhile, of them ` +
      `${pruner.deletedBeside} certainly beside a backup, ` +
      `${machines.map(({ resumedFiles }) => resumedFiles).join(" + ")} files from checkpoints`,
  );

  // Nobody is at work now: what was marked goes, and all else comes back as before.
  await ours.done(PRUNE);
  await ours.done(PRUNE);
  await assertNothingUnused();
  await assertAllComeBack(machines, pruner);
  await ours.check();
  await new Client(RESTIC_018, repository).check();
});
