import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CATALOG_PLANS_PAGE,
  type CatalogStore,
  type FileChange,
  isComebackError,
  type PlanState,
} from "@comeback/core";
import {
  doForAll,
  each,
  HOST,
  HOUR_MS,
  makeRun,
  makeSnapshot,
  type MakeCatalog,
  START_MS,
} from "./fixture.ts";

const OTHER = "web2";
const VERSION = { sizeBytes: 1, modifiedAtMs: START_MS };

type HostStore = Omit<CatalogStore, typeof Symbol.asyncDispose>;

/** One of everything, under the same names on every host, and told apart by `mark`. */
async function fill(store: HostStore, mark: number): Promise<void> {
  const id = `run-of-${store.host}`;
  const { host } = store;
  const startedAtMs = START_MS + mark;
  await store.saveRun(makeRun({ id, host, startedAtMs, endedAtMs: startedAtMs, outcome: "ok" }));
  await store.saveRun(makeRun({ id: `${id}-open`, host, plan: "open", startedAtMs }));
  await store.saveStage({ runId: id, sequence: 0, stage: "copy", startedAtMs, attempts: mark });
  await store.appendLog([{ runId: id, sequence: 0, atMs: mark, level: "info", text: host }]);
  // Also of one snapshot id in one destination: a repository that both write may be copied.
  for (const snapshotId of ["same", `snapshot of ${host}`]) {
    await store.saveSnapshot(
      makeSnapshot({ snapshotId, runId: id, atMs: startedAtMs, files: mark }),
    );
  }
  const place = { plan: "shop", destination: "nas" };
  await store.saveProof({
    ...place,
    runId: id,
    kind: "check",
    atMs: mark,
    outcome: "ok",
    message: host,
  });
  const statistics = { destination: "nas", atMs: 1, snapshots: mark, packs: 1, sizeBytes: 1 };
  await store.saveStatistics(statistics);
  await store.saveScheduleMark("shop", "daily", mark);
  const miss = { plan: "shop", trigger: "daily", scheduledForMs: 1, reason: "down" };
  await store.saveMiss({ ...miss, noticedAtMs: startedAtMs });
  await store.saveNote("note", host);
  const contentHash = `hash of ${host}`;
  const change: FileChange = { path: "/a", version: { ...VERSION, contentHash } };
  const snapshot = makeSnapshot({ snapshotId: "same", atMs: startedAtMs });
  await store.recordFileChanges(snapshot, each([change]), { isWholeTree: true });
}

/** Everything that a host's store tells. */
async function tellAll(store: HostStore): Promise<Record<string, unknown>> {
  const id = `run-of-${store.host}`;
  return {
    runs: await store.listRuns({ limit: 99 }),
    open: await store.listOpenRuns(),
    ofPlan: await store.listRuns({ plan: "shop", limit: 99 }),
    stages: await store.listStages(id),
    log: await store.listLog(id, -1, 99),
    snapshots: await store.listSnapshots({ limit: 99 }),
    ofDestination: await store.listSnapshots({ destination: "nas", snapshotId: "same", limit: 99 }),
    proofs: await store.listProofs({ plan: "shop", limit: 99 }),
    statistics: await store.listStatistics({ destination: "nas", limit: 99 }),
    states: await store.planStates(),
    named: await store.planStates(["shop", "nobody"]),
    mark: await store.readScheduleMark("shop", "daily"),
    misses: await store.listMisses({ limit: 99 }),
    note: await store.readNote("note"),
    head: await store.readFileHistoryHead("shop", "content"),
    histories: await store.listFileHistories(),
    versions: await store.listFileVersions("shop", "content", "/a"),
  };
}

export function testHosts(make: MakeCatalog): void {
  test("hosts whose plans and destinations have the same names share nothing", async () => {
    await using alone = await make();
    await fill(alone.store, 1);
    const expected = await tellAll(alone.store);

    await using fixture = await make();
    await using other = await fixture.another(OTHER);
    assert.deepEqual([fixture.store.host, other.host], [HOST, OTHER]);
    await fill(fixture.store, 1);
    await fill(other, 2);
    assert.deepEqual(await tellAll(fixture.store), expected);
    const ofOther = await tellAll(other);
    assert.deepEqual(await tellAll(fixture.store.forHost(OTHER)), ofOther);
    assert.equal(ofOther["mark"], 2);
    assert.equal(ofOther["note"], OTHER);
    assert.ok(!JSON.stringify(ofOther).includes(HOST), JSON.stringify(ofOther));

    // What one removes, the other still has.
    await other.markRemoved("nas", ["same", `snapshot of ${HOST}`], START_MS);
    await other.saveNote("note", undefined);
    await other.removeRunsBefore(START_MS + HOUR_MS);
    assert.deepEqual(await tellAll(fixture.store), expected);
    const left = await other.listSnapshots({ limit: 9 });
    assert.deepEqual(
      left.map(({ snapshotId }) => snapshotId),
      [`snapshot of ${OTHER}`],
    );
  });

  test("all hosts are shown where that is asked for, and runs are found by their ids", async () => {
    await using fixture = await make();
    await using other = await fixture.another(OTHER);
    await using second = await fixture.another();
    await fill(other, 2);
    await fill(second, 1);
    const states = await fixture.store.planStatesOfAllHosts();
    const expected: PlanState[] = [...(await second.planStates()), ...(await other.planStates())];
    assert.deepEqual(states, expected);
    assert.deepEqual(
      states.map(({ host, plan }) => `${host} ${plan}`),
      [`${HOST} open`, `${HOST} shop`, `${OTHER} open`, `${OTHER} shop`],
    );
    assert.deepEqual(
      (await fixture.store.listRuns({ hosts: "all", plan: "shop", limit: 9 })).map(({ id }) => id),
      [`run-of-${OTHER}`, `run-of-${HOST}`],
    );
    const run = await fixture.store.findRun(`run-of-${OTHER}`);
    assert.equal(run?.host, OTHER);
    assert.equal((await fixture.store.listLog(run.id, -1, 9))[0]?.text, OTHER);
    assert.equal((await fixture.store.listStages(run.id))[0]?.attempts, 2);
  });
}

export function testManyHosts(make: MakeCatalog): void {
  test("more plans of several hosts than are read at once", async () => {
    await using fixture = await make();
    const hosts = ["a", "b", "c"].map((name) => fixture.store.forHost(name));
    const plans = Array.from({ length: CATALOG_PLANS_PAGE / 2 }, (_, i) => `plan ${10_000 + i}`);
    for (const store of hosts) {
      await doForAll(plans, (plan) => store.saveSnapshot(makeSnapshot({ plan, snapshotId: plan })));
    }
    const states = await fixture.store.planStatesOfAllHosts();
    assert.deepEqual(
      states.map(({ host, newest }) => [host, ...newest.map(({ plan }) => plan)]),
      hosts.flatMap(({ host }) => plans.map((plan) => [host, plan])),
    );
    assert.equal((await fixture.store.forHost("b").planStates()).length, plans.length);
  });

  test("a run whose id another host has is refused, and that one's stays", async () => {
    await using fixture = await make();
    await using other = await fixture.another(OTHER);
    const run = makeRun({ id: "a" });
    await fixture.store.saveRun(run);
    await assert.rejects(other.saveRun(makeRun({ id: "a", host: OTHER, plan: "x" })), (error) =>
      isComebackError(error, "catalog.unusable"),
    );
    assert.deepEqual(await other.findRun("a"), run);
    assert.deepEqual(await other.planStates(), []);
  });
}
