import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "@comeback/testkit";
import { checkpointTimes } from "../drivers/checkpoints.ts";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_263);
/** Two minutes where it is asked for; continuous integration has less time. */
const SOAK_SECONDS = Number(process.env["COMEBACK_SOAK_SECONDS"] ?? 20);
const ROUNDS_MIN = 3;
/** Beside somebody at work nothing is deleted that was marked lately: so there are pauses. */
const PAUSE_MAX_MS = 2500;
const KEPT = 3;

const folder = memoryFolder("soak");
const repository = join(folder, "repository");
const ours = new Client(COMEBACK, repository);

/** Until when all go on. However slow the machine is, some rounds are done by then. */
class Deadline {
  readonly #endMs: number = performance.now() + SOAK_SECONDS * 1000;

  isOver(rounds: number): boolean {
    return performance.now() >= this.#endMs && rounds >= ROUNDS_MIN;
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
    this.corpus = new Corpus(makeFolder(folder, host), random, { small: 150, large: 5 });
  }

  async backUpUntil(deadline: Deadline): Promise<void> {
    while (!deadline.isOver(this.backups)) {
      // Now and then nothing of the parent is left, so that data of a pruned one comes again.
      this.corpus.change(this.#random.pick([5, 40, 100]));
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
async function pruneUntil(deadline: Deadline): Promise<{ prunes: number; deleted: number }> {
  let [prunes, deleted] = [0, 0];
  for (; !deadline.isOver(prunes); prunes++) {
    await ours.done(["forget", "--keep-last", String(KEPT), "--group-by", "host"]);
    const repack = prunes % 2 === 0 ? ["--repack-small"] : [];
    const before = storedFiles(repository, "data");
    await ours.done(["prune", "--max-unused", "0", "--keep-delete", "0s", ...repack]);
    const after = new Set(storedFiles(repository, "data"));
    deleted += before.filter((pack) => !after.has(pack)).length;
  }
  return { prunes, deleted };
}

/** Every snapshot that is listed gives what was there when it was made. */
async function assertAllComeBack(machines: readonly Machine[]): Promise<number> {
  const snapshots = await ours.snapshots();
  for (const { id, hostname, tags: [state = ""] = [] } of snapshots) {
    const machine = machines.find(({ host }) => host === hostname);
    const expected = machine?.expected.get(state) ?? assert.fail(`${id}, ${state}: it is too old`);
    const target = makeFolder(folder, "restored");
    await ours.restore(`${id}:${machine!.corpus.folder}`, target);
    assertSameTree(expected, target, { tops: false });
    rmSync(target, { recursive: true });
  }
  return snapshots.length;
}

test(`two back up while one forgets and prunes, ${SOAK_SECONDS} s, seed ${SEED}`, async (t: TestContext) => {
  await makeQuickRepository(repository);
  // Both from one seed: what one machine stores, the other stores as well, and prune may take.
  const machines = ["one", "two"].map((host) => new Machine(host, new SeededRandom(SEED)));
  const deadline = new Deadline();
  const [, , { prunes, deleted }] = await Promise.all([
    machines[0]!.backUpUntil(deadline),
    machines[1]!.backUpUntil(deadline),
    pruneUntil(deadline),
  ]);

  const listed = await assertAllComeBack(machines);
  assert.ok(listed >= 2);
  await ours.check();
  await new Client(RESTIC_018, repository).check();
  await new Client(RESTIC_014, repository).check();
  assert.deepEqual(filesOf(repository, "locks"), []);
  t.diagnostic(
    `${machines.map(({ backups }) => backups).join(" + ")} backups, ${prunes} prunes, ` +
      `${listed} snapshots left, ${deleted} packs deleted meanwhile, ` +
      `${machines.map(({ resumedFiles }) => resumedFiles).join(" + ")} files from checkpoints`,
  );

  // Nobody is at work now: what was marked goes, and all else comes back as before.
  const packs = storedFiles(repository, "data").length;
  await ours.done(["prune", "--max-unused", "0", "--keep-delete", "0s"]);
  await ours.done(["prune", "--max-unused", "0", "--keep-delete", "0s"]);
  assert.ok(storedFiles(repository, "data").length <= packs);
  await assertAllComeBack(machines);
  await ours.done(["prune", "--instant", "--max-unused", "0"]);
  await assertAllComeBack(machines);
  await ours.check();
  await new Client(RESTIC_018, repository).check();
});
