import assert from "node:assert/strict";
import { damaged } from "@comeback/core";
import {
  backup,
  changeTags,
  check,
  copy,
  executeForget,
  executeMerge,
  executePrune,
  executeRewrite,
  findLatest,
  instantOfMilliseconds,
  listSnapshots,
  planForget,
  planIndexRepair,
  planMerge,
  planPrune,
  planRecover,
  planRewrite,
  planSnapshotRepair,
  type PruneMode,
  recover,
  removedByPlan,
  repairIndex,
  repairSnapshots,
  type Snapshot,
} from "@comeback/engine";
import type { SeededRandom, SimulatedClient } from "@comeback/testkit";
import { compareSnapshot } from "./compare-snapshot.ts";
import { changedModel, type FileModel, newModel, sourceOf } from "./file-model.ts";
import { hostWithout, openSession, type World } from "./world.ts";

const KEEP_DELETE_MS = [0, 10 * 60_000, 23 * 3_600_000];

/** What one client does again and again, each with its own decisions. */
export interface Actor {
  readonly world: World;
  readonly client: SimulatedClient;
  readonly random: SeededRandom;
  /** What the client's machine holds now. */
  model: FileModel;
}

export function newActor(world: World, client: SimulatedClient, random: SeededRandom): Actor {
  return { world, client, random, model: newModel(random) };
}

export type Operation = (actor: Actor) => Promise<void>;

/** Whether an operation that began with so many troubles had nothing but good conditions. */
function wasUndisturbed({ world, client }: Actor, troublesBefore: number): boolean {
  // Where lists lag behind, what others have just saved looks as if it were missing.
  const isSteady = world.store.listLagMs === 0 && !world.hasTorn;
  return client.troubles === troublesBefore && isSteady;
}

async function backUp(actor: Actor): Promise<void> {
  const { world, client } = actor;
  const troublesBefore = client.troubles;
  if (actor.random.chance(80)) actor.model = changedModel(actor.model, actor.random);
  const path = `/home/${client.name}`;
  const tag = world.announce(actor.model);
  await using session = await openSession(world, client, { exclusive: false });
  const { repository, signal, mayWrite } = session;
  const [parent] = await Promise.all([
    findLatest(repository, { hosts: [client.name] }, { signal }),
    repository.loadIndex({ newBlobsExpected: 0, signal }),
  ]);
  const result = await backup({
    repository,
    source: sourceOf(actor.model, path),
    time: instantOfMilliseconds(client.simulation.clock.now()),
    hostname: client.name,
    tags: [tag],
    ...(parent === undefined ? {} : { parent }),
    readConcurrency: 2,
    programVersion: "simulated",
    mayWrite,
    signal,
  });
  // The parent's trees may be in packs that wait to be deleted; then everything is read again.
  const problems = result.problems.filter(({ message }) => !message.includes("parent snapshot"));
  if (wasUndisturbed(actor, troublesBefore)) assert.deepEqual(problems, []);
  world.saved.add((result.snapshot as Snapshot).id);
}

async function verify(actor: Actor): Promise<void> {
  const { world, client } = actor;
  const troublesBefore = client.troubles;
  await using session = await openSession(world, client, { exclusive: false });
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const result = await check({ repository, workers: 2, signal });
  if (wasUndisturbed(actor, troublesBefore)) assert.deepEqual(result.problems, []);
}

async function restoreOne(actor: Actor): Promise<void> {
  const { world, client, random } = actor;
  const troublesBefore = client.troubles;
  await using session = await openSession(world, client, { exclusive: false });
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const snapshots = await listSnapshots(repository, {}, { signal });
  if (snapshots.length === 0) return;
  const snapshot = random.pick(snapshots);
  await repository.loadIndex({ includeMarked: true, signal });
  try {
    await compareSnapshot(repository, snapshot, world.modelOf(snapshot));
  } catch (error) {
    const isGone = world.removed.has(snapshot.id);
    if (wasUndisturbed(actor, troublesBefore) && !isGone) throw error;
  }
}

async function forget({ world, client, random }: Actor): Promise<void> {
  await using session = await openSession(world, client, { exclusive: false });
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const snapshots = await listSnapshots(repository, {}, { signal });
  const nowMs = client.simulation.clock.now();
  const plan = planForget(snapshots, { policy: { last: random.integer(1, 2) }, nowMs });
  for (const { id } of removedByPlan(plan)) world.removed.add(id);
  await executeForget(repository, plan, { signal });
}

/** Removes any snapshots, also a client's only one. */
async function removeSome({ world, client, random }: Actor): Promise<void> {
  await using session = await openSession(world, client, { exclusive: false });
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const snapshots = await listSnapshots(repository, {}, { signal });
  for (const { id } of snapshots) {
    if (!random.chance(40)) continue;
    world.removed.add(id);
    await repository.backend.remove({ type: "snapshot", name: id }, { signal });
  }
}

async function prune(mode: PruneMode, { world, client, random }: Actor): Promise<void> {
  const lock = { exclusive: mode === "instant", activity: "prune" } as const;
  await using session = await openSession(world, client, lock);
  const { repository, signal, mayWrite } = session;
  // A plan to delete at once must not be older than the lock: others were at work until then.
  if (mode === "instant") await mayWrite;
  const prepared = await planPrune({
    repository,
    mode,
    maxUnused: { kind: "percentage", percentage: random.pick([0, 5, 50]) },
    repackSmall: random.chance(30),
    keepDeleteMs: random.pick(KEEP_DELETE_MS),
    workers: 2,
    signal,
  });
  await executePrune(prepared, { mayWrite, signal });
}

async function copyAll({ world, client }: Actor): Promise<void> {
  const { copies } = world;
  if (copies === undefined) return;
  await using from = await openSession(world, client, { exclusive: false });
  await using to = await openSession(copies, client, { exclusive: false });
  const signal = AbortSignal.any([from.signal, to.signal]);
  const source = from.repository;
  const snapshots = await listSnapshots(source, {}, { signal });
  await source.loadIndex({ includeMarked: true, signal });
  await to.repository.loadIndex({ newBlobsExpected: 0, signal });
  const { mayWrite, repository: target } = to;
  const result = await copy({ source, target, snapshots, workers: 2, mayWrite, signal });
  for (const { action, copy: made } of result.outcomes) {
    if (action === "copied" && made !== undefined) copies.saved.add(made.id);
  }
}

/** Gives all snapshots one more tag: each is replaced. */
async function tag({ world, client, random }: Actor): Promise<void> {
  await using session = await openSession(world, client, { exclusive: false });
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const snapshots = await listSnapshots(repository, {}, { signal });
  for (const { id } of snapshots) world.removed.add(id);
  const changes = { add: [`more:${random.integer(1, 3)}`] };
  const onChanged = (_: Snapshot, { id }: Snapshot): void => void world.saved.add(id);
  const { failed } = await changeTags(repository, snapshots, changes, { signal, onChanged });
  // Where it failed the old one stays, unless somebody else removed it.
  if (failed.length > 0) throw damaged("the tags of a snapshot", failed[0]?.message ?? "");
}

/** As the command line has it: what makes snapshots of what is there runs beside no prune. */
const BUILDING = { exclusive: false, activity: "prune" } as const;

async function mergeSome({ world, client, random }: Actor): Promise<void> {
  await using session = await openSession(world, client, BUILDING);
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const snapshots = (await listSnapshots(repository, {}, { signal })).filter(
    (snapshot) => world.modelOf(snapshot) !== undefined && random.chance(60),
  );
  if (snapshots.length < 2) return;
  const forgets = random.chance(50);
  const model = new Map(snapshots.flatMap((snapshot) => [...(world.modelOf(snapshot) ?? [])]));
  world.announceMerge(snapshots, model);
  await repository.loadIndex({ includeMarked: true, signal });
  const plan = await planMerge({
    repository,
    snapshots,
    hostname: "merged",
    programVersion: "simulated",
    forget: forgets,
    signal,
  });
  if (forgets) for (const { id } of snapshots) world.removed.add(id);
  world.saved.add((await executeMerge(repository, plan, { signal })).id);
}

/** Leaves the files of one name out of one snapshot. */
async function rewriteOne({ world, client, random }: Actor): Promise<void> {
  await using session = await openSession(world, client, BUILDING);
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const all = await listSnapshots(repository, {}, { signal });
  const snapshots = all.filter((snapshot) => world.modelOf(snapshot) !== undefined);
  if (snapshots.length === 0) return;
  const snapshot = random.pick(snapshots);
  const name = String(random.integer(1, 4));
  await repository.loadIndex({ includeMarked: true, signal });
  const plan = await planRewrite({
    repository,
    snapshots: [snapshot],
    excludes: (path, node) => node.type === "file" && path.endsWith(`/${name}`),
    hostname: hostWithout(snapshot, name),
    forget: random.chance(50),
    signal,
  });
  if (plan.forget) world.removed.add(snapshot.id);
  for (const { id } of await executeRewrite(repository, plan, { signal })) world.saved.add(id);
  const [failure] = plan.failed;
  if (failure !== undefined) throw damaged("a snapshot to rewrite", failure.message);
}

/** Makes a snapshot of the trees that none leads to. */
async function recoverAll({ world, client }: Actor): Promise<void> {
  await using session = await openSession(world, client, BUILDING);
  const { repository, signal, mayWrite } = session;
  await repository.loadIndex({ includeMarked: true, signal });
  const plan = await planRecover({ repository, workers: 1, signal });
  if (!plan.isNeeded) return;
  await mayWrite;
  world.saved.add((await recover({ repository, plan, signal })).id);
}

async function mendSnapshots(actor: Actor): Promise<void> {
  const { world, client } = actor;
  const troublesBefore = client.troubles;
  await using session = await openSession(world, client, BUILDING);
  const { repository, signal, mayWrite } = session;
  const plan = await planSnapshotRepair({ repository, forget: true, signal });
  if (wasUndisturbed(actor, troublesBefore)) assert.equal(plan.isNeeded, false);
  await mayWrite;
  await repairSnapshots({ repository, plan, signal });
}

async function mendIndex({ world, client, random }: Actor): Promise<void> {
  await using session = await openSession(world, client, { exclusive: true });
  const { repository, signal, mayWrite } = session;
  await mayWrite;
  const plan = await planIndexRepair({ repository, readAllPacks: random.chance(30), signal });
  await repairIndex({ repository, plan, signal });
}

export const OPERATIONS: Readonly<Record<string, { weight: number; run: Operation }>> = {
  backup: { weight: 10, run: backUp },
  check: { weight: 1, run: verify },
  restore: { weight: 1, run: restoreOne },
  forget: { weight: 2, run: forget },
  "remove snapshots": { weight: 3, run: removeSome },
  prune: { weight: 6, run: (actor) => prune("two-phase", actor) },
  "prune at once": { weight: 2, run: (actor) => prune("instant", actor) },
  copy: { weight: 1, run: copyAll },
  tag: { weight: 1, run: tag },
  merge: { weight: 1, run: mergeSome },
  rewrite: { weight: 1, run: rewriteOne },
  recover: { weight: 1, run: recoverAll },
  "repair index": { weight: 1, run: mendIndex },
  "repair snapshots": { weight: 1, run: mendSnapshots },
};
