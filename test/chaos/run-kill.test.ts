import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { listSnapshots } from "@comeback/engine";
import { listLeftOver } from "@comeback/operations/undo";
import { SeededRandom } from "@comeback/testkit";
import { Client, PASSWORD } from "../drivers/client.ts";
import { problemsIn } from "../drivers/judge.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { type Finished, type Running, startProgram } from "../drivers/run-program.ts";
import { memoryFolder } from "../drivers/scratch.ts";
import { openFolder } from "../drivers/small-history.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

/**
 * Real runs that are killed at random moments: their repositories stay whole, nothing stays frozen,
 * and the next run works.
 */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_266);
const WORLDS = 2;
const KILLS_EACH = 15;
/** Every so many kills the next run may come to its end, and everything is looked at. */
const KILLS_BETWEEN_LOOKS = 5;
const RUNS_A_KILL_MAX = 10;
const FILES = 40;

class World {
  readonly folder: string;
  readonly random: SeededRandom;
  readonly #environment: Record<string, string | undefined>;

  constructor(place: number) {
    this.folder = join(memoryFolder("run-kill"), `world-${place}`);
    this.random = new SeededRandom(SEED + place);
    const { environment } = new Client(COMEBACK, this.#at("nas"));
    this.#environment = { ...environment, RESTIC_PASSWORD: undefined };
    for (const name of ["source", "frozen"]) mkdirSync(this.#at(name), { recursive: true });
    writeFileSync(this.#at("key"), `${PASSWORD}\n`, { mode: 0o600 });
    this.write();
    writeFileSync(this.#at("comeback.yaml"), this.#configuration(), { mode: 0o600 });
  }

  async make(): Promise<this> {
    for (const name of ["nas", "far"]) await makeQuickRepository(this.#at(name));
    return this;
  }

  #at(name: string): string {
    return join(this.folder, name);
  }

  #configuration(): string {
    const frozen = `${this.#at("frozen")}/$COMEBACK_RUN_ID`;
    return `state: ${this.#at("state")}
host: web1
defaults: { destination: { password: { file: ${this.#at("key")} } } }
destinations:
  nas: { repo: ${this.#at("nas")} }
  far: { repo: ${this.#at("far")} }
snapshotters:
  copied:
    command:
      create: 'cat > /dev/null; cp -a ${this.#at("source")} "${frozen}"; printf "%s\\t%s\\n" ${this.#at("source")} "${frozen}"'
      remove: 'cat > /dev/null; rm -rf "${frozen}"'
plans:
  shop:
    maintenance:
      enter: [{ command: touch ${this.#at("flag")}, undo: { command: rm -f ${this.#at("flag")} } }]
    sources:
      content: { files: ${this.#at("source")}, snapshot: copied }
      dump: { command: { run: seq 20000, filename: dump.sql } }
    to: nas
    keep: { last: 3 }
    copies: [{ from: nas, to: far }]
`;
  }

  /** Other contents for some of the files. */
  write(): void {
    for (let i = 0; i < FILES; i++) {
      const path = join(this.#at("source"), `file-${i}`);
      if (existsSync(path) && this.random.chance(70)) continue;
      writeFileSync(path, this.random.bytes(this.random.integer(0, 30_000)));
    }
  }

  start(): Running {
    const args = ["--config", this.#at("comeback.yaml"), "run", "shop"];
    return startProgram(COMEBACK.command, args, { env: this.#environment, ownGroup: true });
  }

  async runWell(): Promise<Finished> {
    const finished = await this.start().finished;
    assert.equal(finished.exitCode, 0, finished.describe());
    return finished;
  }

  /** What keeps the service from its work, or the disk from being its own. */
  get frozen(): string[] {
    const flag = existsSync(this.#at("flag")) ? ["flag"] : [];
    return [...flag, ...readdirSync(this.#at("frozen"))];
  }

  async assertWhole(where: string, asksRestic: boolean): Promise<void> {
    for (const name of ["nas", "far"]) {
      assert.deepEqual(await problemsIn(this.#at(name)), [], `${name}: ${where}`);
      if (!asksRestic) continue;
      const restic = new Client(RESTIC_018, this.#at(name));
      await restic.done(["unlock"]);
      await restic.check();
    }
  }

  /** The newest snapshots of both places hold what the source has. */
  async assertNewest(where: string): Promise<void> {
    for (const name of ["nas", "far"]) {
      await using repository = await openFolder(this.#at(name));
      const snapshots = await listSnapshots(repository, { tags: [["source:content"]] });
      const client = new Client(COMEBACK, this.#at(name));
      const target = this.#at(`back-${name}-${snapshots.at(-1)!.id.slice(0, 8)}`);
      await client.restore(`${snapshots.at(-1)!.id}:${this.#at("source")}`, target);
      const names = readdirSync(this.#at("source"));
      assert.deepEqual(readdirSync(target).toSorted(), names.toSorted(), where);
      for (const file of names) {
        const [is, was] = [join(target, file), join(this.#at("source"), file)];
        assert.ok(readFileSync(is).equals(readFileSync(was)), `${file} in ${name}: ${where}`);
      }
    }
  }

  async assertNothingLeft(where: string): Promise<void> {
    assert.deepEqual(this.frozen, [], where);
    assert.deepEqual(await listLeftOver(this.#at("state")), [], where);
  }
}

const seen = { killed: 0, frozen: 0, atOnce: 0, complete: 0 };

async function killThrough(world: World): Promise<void> {
  const { random } = world;
  await world.runWell();
  const startedAtMs = performance.now();
  await world.runWell();
  const runMs = performance.now() - startedAtMs;
  for (let kill = 1; kill <= KILLS_EACH; kill++) {
    const where = `kill ${kill}, seed ${random.seed}`;
    await killOnce(world, runMs, where);
    // The next run may come while the watchdog of this one is still at work.
    if (random.chance(30)) seen.atOnce++;
    else await waitUntil(`nothing is frozen: ${where}`, () => world.frozen.length === 0);
    if (kill % KILLS_BETWEEN_LOOKS !== 0) continue;
    await world.assertWhole(where, kill === KILLS_EACH);
    const { stdout } = await retried(world);
    seen.complete++;
    assert.match(stdout.toString("utf8"), /shop (?:ok|warning) after/, where);
    await world.assertNothingLeft(where);
    await world.assertWhole(`after the next run, ${where}`, false);
    await world.assertNewest(where);
  }
}

/** A run may have ended before its moment came: then it is not one of the kills. */
async function killOnce(world: World, runMs: number, where: string): Promise<void> {
  for (let tries = 0; tries < RUNS_A_KILL_MAX; tries++) {
    world.write();
    const running = world.start();
    await sleep(world.random.integer(0, Math.round(runMs)));
    const isRunning = running.child.exitCode === null;
    if (isRunning) process.kill(-running.pid, "SIGKILL");
    if (world.frozen.length > 0) seen.frozen++;
    if ((await running.finished).signal !== "SIGKILL") continue;
    seen.killed++;
    return;
  }
  assert.fail(`every run ended before it could be killed: ${where}`);
}

/** Undoing what a killed run left is told as a warning; the run itself does its whole work. */
async function retried(world: World): Promise<Finished> {
  const finished = await world.start().finished;
  assert.ok(finished.exitCode === 0 || finished.exitCode === 3, finished.describe());
  return finished;
}

test(`runs that are killed lose nothing and leave nothing frozen, seed ${SEED}`, async (t: TestContext) => {
  const worlds = await Promise.all(Array.from({ length: WORLDS }, (_, i) => new World(i).make()));
  await Promise.all(worlds.map(killThrough));
  t.diagnostic(JSON.stringify(seen));
  assert.ok(
    seen.killed === WORLDS * KILLS_EACH && seen.frozen >= 3 && seen.complete === 6,
    JSON.stringify(seen),
  );
});
