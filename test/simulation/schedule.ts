import assert from "node:assert/strict";
import { isComebackError } from "@comeback/core";
import { check, listSnapshots, unlock } from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom, type SimulatedTrouble, Simulation } from "@comeback/testkit";
import { compareSnapshot } from "./compare-snapshot.ts";
import { type Actor, newActor, OPERATIONS } from "./operations.ts";
import { World } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LIST_LAGS_MS = [0, 0, 200, 2_000];
const JUMPS_MS = [300, 3_000, 6 * MINUTE_MS, 35 * MINUTE_MS, 26 * HOUR_MS];
const OPERATIONS_OF_CLIENT_MAX = 4;
/** Of the trace of a schedule that failed: the end of it tells the most. */
const TRACE_LINES_MAX = 300;
/** Leaves packs that are marked, and whose time has come when the clients begin. */
const PAST = ["backup", "remove snapshots", "backup", "remove snapshots", "prune"];
const LONG_AGO_MS = 26 * HOUR_MS;
/** What must bring a repository in order in which files were written only in part. */
const MENDING = ["repair index", "repair snapshots"];
/** What must succeed after any schedule. */
const CONCLUDING = ["backup", "prune", "prune at once"];

/** What came of the operations of a schedule. */
export type Outcome = "done" | "refused" | "failed" | "crashed";

export interface ScheduleResult {
  /** Operation and outcome, such as "backup: done", and how often. */
  readonly counts: ReadonlyMap<string, number>;
  readonly calls: number;
  readonly hash: string;
}

/** Runs the schedule of a seed; throws an error with the trace where a promise was broken. */
export async function runSchedule(seed: number): Promise<ScheduleResult> {
  const random = new SeededRandom(seed);
  const trouble = troubleOf(random);
  using simulation = new Simulation(seed, trouble);
  using _ = runTasksInThisThread(new SeededRandom(seed + 1_000_000_000));
  const counts = new Map<string, number>();
  try {
    const listLagMs = random.pick(LIST_LAGS_MS);
    const hasCopies = random.chance(25);
    const world = await World.create({ clock: simulation.clock, seed, listLagMs, hasCopies });
    if (random.chance(40)) {
      simulation.calm();
      for (const name of PAST) await conclude(simulation, world, name);
      await simulation.pass(LONG_AGO_MS);
      simulation.disturb(trouble);
    }
    for (let i = random.integer(2, 3); i > 0; i--) {
      const own = new SeededRandom(random.integer(0, 2 ** 32 - 1));
      simulation.client("ABC".charAt(i - 1), (client) =>
        runClient(newActor(world, client, own), counts),
      );
    }
    await simulation.run();
    await verifyWorld(simulation, world);
  } catch (error) {
    throw new Error(explain(seed, simulation, error as Error), { cause: error });
  }
  return { counts, calls: simulation.trace.length, hash: simulation.trace.hash };
}

function troubleOf(random: SeededRandom): SimulatedTrouble {
  return {
    failuresPercent: random.pick([0, 0, 0.5, 2]),
    crashesPercent: random.pick([0, 0.3, 1]),
    // Our own adapters never leave a part of a file; other programs and stores do.
    tornPercent: random.pick([0, 0, 60]),
    duplicatesPercent: random.pick([0, 0, 5]),
    switchesPercent: random.pick([5, 30, 100]),
    jumpsPercent: random.pick([0, 1, 3]),
    jumpsMs: JUMPS_MS,
    // A lock that was lost in the meantime is not noticed at once: such a run may lose data.
    sleepsPercent: 0,
  };
}

async function runClient(actor: Actor, counts: Map<string, number>): Promise<void> {
  const { client, random } = actor;
  const choice = Object.entries(OPERATIONS).flatMap(([name, { weight }]) =>
    Array.from({ length: weight }, () => name),
  );
  for (let i = random.integer(1, OPERATIONS_OF_CLIENT_MAX); i > 0; i--) {
    const name = random.pick(choice);
    await client.turn("next");
    const outcome = await perform(actor, name);
    client.note(`${name}: ${outcome}`);
    const key = `${name}: ${outcome}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}

/** Runs one operation. It may fail only where the simulation gave it a reason. */
async function perform(actor: Actor, name: string): Promise<Outcome> {
  const { client, world } = actor;
  const troublesBefore = client.troubles;
  client.note(`${name} begins`);
  try {
    await run(actor, name);
    return "done";
  } catch (error) {
    if (isComebackError(error, "repository.locked")) return "refused";
    if (error instanceof assert.AssertionError) throw error;
    // Where lists lag behind, what others have just saved looks as if it were missing.
    const isUnsteady = world.store.listLagMs > 0 || world.hasTorn;
    const mayFail = isUnsteady && isComebackError(error, "repository.damaged");
    if (client.troubles === troublesBefore && !mayFail) throw error;
    return client.process.crashed ? "crashed" : "failed";
  } finally {
    if (client.process.crashed) client.newProcess();
  }
}

async function run(actor: Actor, name: string): Promise<void> {
  await OPERATIONS[name]?.run(actor);
}

/** What must hold after every schedule, whatever happened in it. */
async function verifyWorld(simulation: Simulation, world: World): Promise<void> {
  simulation.note("-", "all clients are done");
  simulation.calm();
  for (const store of [world, world.copies]) {
    if (store === undefined) continue;
    if (store.store.torn > 0) await mend(simulation, store);
    await verifySnapshots(simulation, store);
    for (const name of CONCLUDING) await conclude(simulation, store, name);
    await verifySnapshots(simulation, store);
  }
}

/** What a person does about files that were written only in part. */
async function mend(simulation: Simulation, world: World): Promise<void> {
  {
    await using repository = await world.open(simulation.observer("-").process);
    await unlock(repository, { clock: simulation.clock, removeAll: true });
  }
  for (const name of MENDING) await conclude(simulation, world, name);
}

/** One more operation, which nothing disturbs. */
async function conclude(simulation: Simulation, world: World, name: string): Promise<void> {
  const random = new SeededRandom(simulation.random.integer(0, 2 ** 32 - 1));
  await simulation.pass(HOUR_MS);
  simulation.note("-", `${name} by somebody else`);
  simulation.client("D", (client) => run(newActor(world, client, random), name));
  await simulation.run();
}

async function verifySnapshots(simulation: Simulation, world: World): Promise<void> {
  // Locks of crashed processes are stale then, and lists show everything.
  await simulation.pass(HOUR_MS);
  const { process } = simulation.observer("-");
  await using repository = await world.open(process);
  const snapshots = await listSnapshots(repository);
  await repository.loadIndex({ includeMarked: true });
  for (const snapshot of snapshots) {
    await compareSnapshot(repository, snapshot, world.modelOf(snapshot));
  }
  const listed = new Set(snapshots.map(({ id }) => id));
  const lost = [...world.saved].filter((id) => !world.removed.has(id) && !listed.has(id));
  assert.deepEqual(lost, [], "no snapshot is gone that nobody removed");
  const { problems } = await check({ repository, workers: 1, readData: { kind: "all" } });
  assert.deepEqual(problems, [], "check finds nothing");
}

function explain(seed: number, simulation: Simulation, error: Error): string {
  return [
    `the schedule of seed ${seed} broke a promise: ${error.message}`,
    `once more: COMEBACK_SIMULATION_SEED=${seed} node --test test/simulation/quick/*.test.ts`,
    error.stack ?? "",
    simulation.trace.tail(TRACE_LINES_MAX),
  ].join("\n");
}
