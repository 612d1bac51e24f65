import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WATCHDOG_BOUND_MS } from "@comeback/core";
import { listLeftOver, undoExecutor, undoLeftOver } from "@comeback/operations/undo";
import { systemClock, systemCommandRunner } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { requireRoot } from "../drivers/mounts.ts";
import { type Running, startProgram } from "../drivers/run-program.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { waitUntil } from "../drivers/wait-until.ts";

/**
 * Runs that are killed while a maintenance flag and a mount, a snapshot's stand-in, are there:
 * afterwards both are gone, and nothing brings them back.
 */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_265);
const AT_ONCE = 6;
const PAUSE_MS = 60;
/** What undoing itself may take on a busy machine: two small programs. */
const UNDO_ITSELF_MS = 10_000;
const KILLS = { run: 40, group: 30, "run and watchdog": 30 };
type Victim = keyof typeof KILLS;
/** Lines of the driver, one of which a kill waits for, and then a random while. */
const STAGES = ["", "open", "entered", "mounted", "left"];

requireRoot();
const works: string[] = [];
after(() => {
  for (const work of works) while (umount(work).status === 0);
});
const folder = scratchFolder("undo");
const driver = join(import.meta.dirname, "../drivers/undo-run.ts");

function umount(work: string) {
  return spawnSync("umount", ["-l", join(work, "snapshot")], { stdio: "ignore" });
}

class Victims {
  readonly name: string;
  readonly state: string;
  readonly work: string;
  readonly journal: string;

  constructor(name: string) {
    this.name = name;
    this.state = makeFolder(folder, name, "state");
    this.work = makeFolder(folder, name, "work");
    this.journal = join(this.state, "undo", `${name}.jsonl`);
    makeFolder(this.work, "snapshot");
    writeFileSync(join(makeFolder(this.work, "data"), "content"), "");
    works.push(this.work);
  }

  start(mode: string): Running {
    const args = [driver, this.state, this.work, this.name, String(PAUSE_MS), mode];
    return startProgram(process.execPath, args, { ownGroup: true });
  }

  get hasFlag(): boolean {
    return existsSync(join(this.work, "maintenance"));
  }

  get isMounted(): boolean {
    return existsSync(join(this.work, "snapshot", "content"));
  }

  get isBack(): boolean {
    return !this.hasFlag && !this.isMounted;
  }

  watchdogs(): number[] {
    return processes().filter((pid) => commandLineOf(pid).includes(this.journal));
  }
}

function processes(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

function commandLineOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** It has opened the journal, and no polite signal ends it from then on. */
function hasOpen(pid: number, path: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => readlinkSync(join(folder, fd)) === path);
  } catch {
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Resolves when the driver has printed the line, or has ended. */
async function stage(running: Running, wanted: string): Promise<void> {
  if (wanted === "") return;
  for await (const line of createInterface({ input: running.child.stdout! })) {
    if (line.startsWith(wanted)) return;
  }
}

const services = {
  runner: systemCommandRunner,
  fetch,
  resolveSecret: () => Promise.reject(new Error("there is no secret")),
  snapshotter: () => undefined,
};

/** What the next start of anything does. */
async function undoAtNextStart(state: string): Promise<void> {
  const executorFor = async () => undoExecutor(services);
  const options = { executorFor, clock: systemClock };
  for (const { failed, damagedLines } of await undoLeftOver(await listLeftOver(state), options)) {
    assert.deepEqual([failed, damagedLines], [[], []]);
  }
}

interface Kill {
  readonly victim: Victim;
  readonly after: string;
  readonly delayMs: number;
}

const seen = { flag: 0, mount: 0, leftOver: 0, slowestMs: 0 };

async function killOnce({ victim, after: afterStage, delayMs }: Kill, name: string): Promise<void> {
  const victims = new Victims(name);
  const where = `${name}: ${victim}, ${delayMs} ms after "${afterStage}", seed ${SEED}`;
  const running = victims.start("watched");
  const ended = once(running.child, "exit");
  await stage(running, afterStage);
  await sleep(delayMs);
  if (victim === "group") kill(-running.pid, "SIGKILL");
  else if (victim === "run") kill(running.pid, "SIGKILL");
  else {
    // Stopped first: otherwise it would start another watchdog.
    kill(running.pid, "SIGSTOP");
    for (const pid of victims.watchdogs()) kill(pid, "SIGKILL");
    kill(running.pid, "SIGKILL");
  }
  const killedAtMs = performance.now();
  if (victims.hasFlag) seen.flag++;
  if (victims.isMounted) seen.mount++;
  await ended;
  if (victim === "run and watchdog") await undoAtNextStart(victims.state);
  else {
    await waitUntil(`the service is back: ${where}`, () => victims.isBack);
    const tookMs = performance.now() - killedAtMs;
    seen.slowestMs = Math.max(seen.slowestMs, Math.round(tookMs));
    assert.ok(tookMs < WATCHDOG_BOUND_MS + UNDO_ITSELF_MS, `${Math.round(tookMs)} ms: ${where}`);
    await waitUntil(`its watchdog ends: ${where}`, () => victims.watchdogs().length === 0);
    // Killed before it had a watchdog: then nothing was done, and only the journal is there.
    if (existsSync(victims.journal)) seen.leftOver++;
    assert.ok(victims.isBack, where);
    await undoAtNextStart(victims.state);
  }
  assert.ok(victims.isBack, where);
  assert.deepEqual(await listLeftOver(victims.state), [], where);
}

test(`100 kills of runs leave no flag and no mount, seed ${SEED}`, async (t: TestContext) => {
  const random = new SeededRandom(SEED);
  const kills: Kill[] = Object.entries(KILLS).flatMap(([victim, count]) =>
    Array.from({ length: count }, () => ({
      victim: victim as Victim,
      after: random.pick(STAGES),
      delayMs: random.integer(0, 3 * PAUSE_MS),
    })),
  );
  const queue = [...kills.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await killOnce(next[1], `run-${next[0]}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.flag >= 15 && seen.mount >= 15, JSON.stringify(seen));
  // What a killed run had started might have gone on, and done it again later.
  for (const work of works) assert.ok(!existsSync(join(work, "maintenance")), work);
  const ours = processes().filter((pid) => commandLineOf(pid).join(" ").includes(folder));
  assert.deepEqual(ours.map(commandLineOf), []);
});

test("a run that overruns its window is told, and the service is back", async () => {
  const victims = new Victims("overrun");
  const running = victims.start("overrun");
  await stage(running, "entered");
  assert.ok(victims.hasFlag);
  await waitUntil("the service is back", () => victims.isBack);
  assert.equal(running.child.exitCode, null, "the run goes on");
  await waitUntil("the journal tells", () =>
    readFileSync(victims.journal, "utf8").includes('"type":"overrun"'),
  );
  kill(running.pid, "SIGKILL");
  await waitUntil("its watchdog ends", () => victims.watchdogs().length === 0);
  assert.deepEqual(await listLeftOver(victims.state), []);
});

test("a watchdog that is killed is started again, and outlives polite signals", async () => {
  const victims = new Victims("restart");
  const running = victims.start("hold");
  await stage(running, "entered");
  const [first = 0] = victims.watchdogs();
  kill(first, "SIGKILL");
  // One that is just starting can still be ended by them.
  await waitUntil("there is another one, and ready", () =>
    victims.watchdogs().some((pid) => pid !== first && hasOpen(pid, victims.journal)),
  );
  for (const pid of victims.watchdogs()) kill(pid, "SIGTERM");
  kill(running.pid, "SIGKILL");
  await waitUntil("the service is back", () => victims.isBack);
  await waitUntil("nothing is left", () => !existsSync(victims.journal));
});
