import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CATALOG_PLANS_PAGE,
  type CatalogStore,
  type PlanState,
  type ProofRecord,
  type RunRecord,
  type ScheduleMiss,
  type SnapshotRecord,
} from "@comeback/core";
import { SeededRandom } from "../seeded-random.ts";
import { doForAll, HOST, makeRun, makeSnapshot, type MakeCatalog, START_MS } from "./fixture.ts";

const SEEDS = 12;
const STEPS = 60;
const PLANS = ["shop", "mail", "shop & mail", "ärger"] as const;
const OUTCOMES = ["ok", "warning", "failed", "skipped"] as const;

export function testPlanStates(make: MakeCatalog): void {
  test("plan states are what all records together say, in whatever order they came", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await using fixture = await make();
      await using other = await fixture.another();
      const random = new SeededRandom(seed);
      const records = new Records();
      for (let step = 0; step < STEPS; step++) {
        await takeStep(random, records, random.chance(50) ? fixture.store : other);
        if (step % 10 !== 9) continue;
        const where = `seed ${seed}, step ${step}`;
        assert.deepEqual(await fixture.store.planStates(), records.states(), where);
      }
      const named = ["mail", "nobody", "mail", "shop"];
      assert.deepEqual(await other.planStates(named), records.statesOf(named), `seed ${seed}`);
    }
  });

  test("states are right also where many write at once", async () => {
    await using fixture = await make();
    await using other = await fixture.another();
    const stores = [fixture.store, other];
    const records = new Records();
    const runs = Array.from({ length: 40 }, (_, i) =>
      makeRun({
        id: `run-${i}`,
        plan: i % 2 === 0 ? "shop" : "mail",
        startedAtMs: START_MS + ((i * 7) % 40),
        endedAtMs: START_MS + 100,
        outcome: i % 5 === 0 ? "failed" : "ok",
      }),
    );
    const snapshots = runs.map(({ id, plan, startedAtMs }) =>
      makeSnapshot({ runId: id, plan, snapshotId: `of ${id}`, atMs: startedAtMs }),
    );
    for (const run of runs) records.runs.set(run.id, run);
    for (const snapshot of snapshots) records.saveSnapshot(snapshot);
    await Promise.all([
      ...runs.map((run, i) => stores[i % 2]!.saveRun(run)),
      ...snapshots.map((snapshot, i) => stores[(i >> 1) % 2]!.saveSnapshot(snapshot)),
    ]);
    assert.deepEqual(await fixture.store.planStates(), records.states());
  });
}

export function testManyPlans(make: MakeCatalog): void {
  test("more plans than one statement names", async () => {
    await using fixture = await make();
    const plans = Array.from({ length: 1_100 }, (_, i) => `plan ${String(i).padStart(4, "0")}`);
    for (const plan of plans.filter((_, i) => i % 100 === 0)) {
      await fixture.store.saveRun(makeRun({ id: plan, plan }));
    }
    const states = await fixture.store.planStates(plans.toReversed());
    assert.deepEqual(
      states.map(({ plan }) => plan),
      plans,
    );
    assert.equal(states.filter(({ lastRun }) => lastRun !== undefined).length, 11);
    assert.equal((await fixture.store.planStates()).length, 11);
    assert.deepEqual(await fixture.store.planStates([]), []);
  });

  test("all of more plans than are read at once, each with its snapshots", async () => {
    await using fixture = await make();
    const plans = Array.from({ length: 2 * CATALOG_PLANS_PAGE }, (_, i) => `plan ${10_000 + i}`);
    await doForAll(plans, (plan) =>
      fixture.store.saveSnapshot(makeSnapshot({ plan, snapshotId: plan, source: plan })),
    );
    const states = await fixture.store.planStates();
    assert.deepEqual(
      states.map(({ newest }) => newest.map(({ source }) => source)),
      plans.map((plan) => [plan]),
    );
  });
}

async function takeStep(
  random: SeededRandom,
  records: Records,
  store: CatalogStore,
): Promise<void> {
  const plan = random.pick(PLANS);
  const atMs = START_MS + random.integer(0, 30);
  const outcome = random.pick(OUTCOMES);
  const kind = random.integer(0, 9);
  if (kind <= 3) {
    const isOpen = random.chance(25);
    const run = makeRun({
      id: `run-${random.integer(0, 15)}`,
      plan,
      startedAtMs: atMs,
      ...(isOpen ? {} : { endedAtMs: atMs + 5, outcome }),
    });
    records.runs.set(run.id, run);
    await store.saveRun(run);
  } else if (kind <= 6) {
    const snapshot = makeSnapshot({
      snapshotId: `s${random.integer(0, 12)}`,
      plan,
      source: random.pick(["content", "db"]),
      destination: random.pick(["nas", "cloud"]),
      atMs,
      outcome,
    });
    records.saveSnapshot(snapshot);
    await store.saveSnapshot(snapshot);
  } else if (kind === 7) {
    const destination = random.pick(["nas", "cloud"]);
    const ids = [`s${random.integer(0, 12)}`, `s${random.integer(0, 12)}`];
    records.markRemoved(destination, ids, atMs);
    await store.markRemoved(destination, ids, atMs);
  } else if (kind === 8) {
    const message = `proof ${records.proofs.length}`;
    const base = { runId: "run", destination: "nas", kind: "check" } as const;
    const proof: ProofRecord = { ...base, plan, atMs, outcome, message };
    records.proofs.push(proof);
    await store.saveProof(proof);
  } else {
    const miss: ScheduleMiss = {
      plan,
      trigger: "daily",
      scheduledForMs: START_MS + random.integer(0, 3),
      noticedAtMs: atMs,
      reason: "down",
      ...(random.chance(40) ? { caughtUpBy: "run-1" } : {}),
    };
    records.misses.set(`${plan}\n${miss.scheduledForMs}`, miss);
    await store.saveMiss(miss);
  }
}

/** All records, and what they say without any cleverness. */
class Records {
  readonly runs = new Map<string, RunRecord>();
  readonly snapshots = new Map<string, SnapshotRecord>();
  readonly proofs: ProofRecord[] = [];
  readonly misses = new Map<string, ScheduleMiss>();
  /** A plan of which there once was a record stays known, also where the record became another's. */
  readonly #plans = new Set<string>();

  saveSnapshot(snapshot: SnapshotRecord): void {
    this.#plans.add(snapshot.plan);
    this.snapshots.set(`${snapshot.destination}\n${snapshot.snapshotId}`, snapshot);
  }

  markRemoved(destination: string, ids: readonly string[], atMs: number): void {
    for (const id of ids) {
      const snapshot = this.snapshots.get(`${destination}\n${id}`);
      if (snapshot === undefined || snapshot.removedAtMs !== undefined) continue;
      this.snapshots.set(`${destination}\n${id}`, { ...snapshot, removedAtMs: atMs });
    }
  }

  states(): PlanState[] {
    for (const { plan } of [...this.runs.values(), ...this.proofs, ...this.misses.values()]) {
      this.#plans.add(plan);
    }
    return this.statesOf([...this.#plans]);
  }

  statesOf(plans: readonly string[]): PlanState[] {
    const names = [...new Set(plans)].toSorted();
    return names.map((plan) => this.#stateOf(plan));
  }

  #stateOf(plan: string): PlanState {
    const of = <T extends { readonly plan: string }>(all: Iterable<T>): T[] =>
      [...all].filter((record) => record.plan === plan);
    const runs = of(this.runs.values()).toSorted(
      (a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? 1 : -1),
    );
    const [lastRun] = runs;
    const lastGoodRun = runs.find(({ outcome }) => outcome === "ok" || outcome === "warning");
    const proofs = of(this.proofs).toReversed();
    const [lastProof] = proofs.toSorted((a, b) => b.atMs - a.atMs);
    return {
      host: HOST,
      plan,
      ...(lastRun === undefined ? {} : { lastRun }),
      ...(lastGoodRun === undefined ? {} : { lastGoodRun }),
      isRunning: runs.some(({ endedAtMs }) => endedAtMs === undefined),
      newest: newestOf(of(this.snapshots.values())),
      ...(lastProof === undefined ? {} : { lastProof }),
      openMisses: of(this.misses.values()).filter((miss) => miss.caughtUpBy === undefined).length,
    };
  }
}

function newestOf(snapshots: readonly SnapshotRecord[]): SnapshotRecord[] {
  const newest = new Map<string, SnapshotRecord>();
  for (const snapshot of snapshots) {
    const { source, destination, outcome, removedAtMs } = snapshot;
    if (removedAtMs !== undefined || outcome === "failed" || outcome === "skipped") continue;
    const key = `${source}\n${destination}`;
    const known = newest.get(key);
    const isNewer =
      known === undefined ||
      snapshot.atMs > known.atMs ||
      (snapshot.atMs === known.atMs && snapshot.snapshotId > known.snapshotId);
    if (isNewer) newest.set(key, snapshot);
  }
  return [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, snapshot]) => snapshot);
}
