import {
  CATALOG_PLANS_PAGE,
  CATALOG_ROWS_AT_ONCE,
  type PlanState,
  type ProofRecord,
  type RunRecord,
  type SnapshotRecord,
} from "@comeback/core";
import type { Kysely, Selectable, Transaction } from "kysely";
import type { CatalogDatabase } from "../catalog-database.ts";
import { chunksOf } from "../chunks-of.ts";
import type { HostScope } from "../host-scope.ts";
import { fromRow, snapshotOf } from "../rows.ts";
import { PROOF_COLUMNS, SNAPSHOT_COLUMNS, type Tables } from "../tables.ts";

/** A plan is a host's: others may have one of the same name. */
export interface HostPlan {
  readonly host: string;
  readonly plan: string;
}

/**
 * `status` asks for the newest of everything, of every plan: out of millions of records that takes
 * seconds. It is therefore kept, a row a plan, by whoever writes a record, in the same transaction.
 */
export async function readPlanStates(
  { database, host }: HostScope,
  plans?: readonly string[],
): Promise<PlanState[]> {
  if (plans === undefined) return await readAll(database, host);
  const names = [...new Set(plans)];
  const found: PlanState[] = [];
  for (const some of chunksOf(names, CATALOG_ROWS_AT_ONCE)) {
    found.push(...(await database.read((db) => statesOf(db, { host, plans: some }))));
  }
  const known = new Map(found.map((state) => [state.plan, state]));
  return names.map((plan) => known.get(plan) ?? noState({ host, plan })).toSorted(byPlan);
}

/** In order of hosts and plans. */
export function readPlanStatesOfAllHosts(database: CatalogDatabase): Promise<PlanState[]> {
  return readAll(database, undefined);
}

/** In pages: what else the process does goes on between them, and their rows are soon garbage. */
async function readAll(database: CatalogDatabase, host: string | undefined): Promise<PlanState[]> {
  const found: PlanState[] = [];
  for (;;) {
    const after = found.at(-1);
    const page = await database.read((db) => statesOf(db, { host, after }));
    found.push(...page);
    if (page.length < CATALOG_PLANS_PAGE) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Holds other writers of these plans off until the transaction ends, so that none overlooks what
 * another has not committed yet. Makes their rows.
 */
export async function lockPlans(
  tx: Transaction<Tables>,
  host: string,
  plans: Iterable<string>,
): Promise<void> {
  // In one order everywhere: two that lock the same plans do not wait for each other.
  for (const plan of [...new Set(plans)].toSorted()) {
    await tx
      .insertInto("planStates")
      .values({ host, plan })
      .onConflict((conflict) =>
        conflict.columns(["host", "plan"]).doUpdateSet((eb) => ({ plan: eb.ref("excluded.plan") })),
      )
      .execute();
  }
}

/** After a run of the plan was saved. */
export async function refreshRuns(tx: Transaction<Tables>, of: HostPlan): Promise<void> {
  const { host, plan } = of;
  const runs = tx
    .selectFrom("runs")
    .selectAll()
    .where("host", "=", host)
    .where("plan", "=", plan)
    .orderBy("startedAtMs", "desc")
    .orderBy("id", "desc")
    .limit(1);
  const last = await runs.executeTakeFirst();
  const good = await runs.where("outcome", "in", ["ok", "warning"]).executeTakeFirst();
  const open = await tx
    .selectFrom("runs")
    .select("id")
    .where("host", "=", host)
    .where("plan", "=", plan)
    .where("endedAtMs", "is", null)
    .limit(1)
    .executeTakeFirst();
  await updateState(tx, of, {
    lastRunId: last?.id ?? null,
    lastRun: jsonOf(last),
    lastGoodRunId: good?.id ?? null,
    // Mostly the same: to read it twice would be a quarter of what `status` takes.
    lastGoodRun: good?.id === last?.id ? null : jsonOf(good),
    isRunning: open === undefined ? 0 : 1,
  });
}

/** After a proof of the plan was saved. */
export async function refreshProof(tx: Transaction<Tables>, of: HostPlan): Promise<void> {
  const last = await tx
    .selectFrom("proofs")
    .select([...PROOF_COLUMNS])
    .where("host", "=", of.host)
    .where("plan", "=", of.plan)
    .orderBy("atMs", "desc")
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  await updateState(tx, of, { lastProof: jsonOf(last) });
}

/** After misses of the plan were saved or removed. */
export async function refreshMisses(tx: Transaction<Tables>, of: HostPlan): Promise<void> {
  const open = await tx
    .selectFrom("misses")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("host", "=", of.host)
    .where("plan", "=", of.plan)
    .where("caughtUpBy", "is", null)
    .executeTakeFirstOrThrow();
  await updateState(tx, of, { openMisses: open.count });
}

async function updateState(
  tx: Transaction<Tables>,
  { host, plan }: HostPlan,
  values: Partial<Selectable<Tables["planStates"]>>,
): Promise<void> {
  await tx
    .updateTable("planStates")
    .set(values)
    .where("host", "=", host)
    .where("plan", "=", plan)
    .execute();
}

export type Place = HostPlan & Pick<SnapshotRecord, "source" | "destination">;

/** After a snapshot of a plan's source in a destination was saved or removed. */
export async function refreshNewest(tx: Transaction<Tables>, place: Place): Promise<void> {
  const { host, plan, source, destination } = place;
  const newest = await tx
    .selectFrom("snapshots")
    .select([...SNAPSHOT_COLUMNS])
    .where("host", "=", host)
    .where("plan", "=", plan)
    .where("source", "=", source)
    .where("destination", "=", destination)
    .where("removedAtMs", "is", null)
    .where("outcome", "in", ["ok", "warning"])
    .orderBy("atMs", "desc")
    .orderBy("snapshotId", "desc")
    .limit(1)
    .executeTakeFirst();
  if (newest === undefined) {
    await tx
      .deleteFrom("newestSnapshots")
      .where("host", "=", host)
      .where("plan", "=", plan)
      .where("source", "=", source)
      .where("destination", "=", destination)
      .execute();
    return;
  }
  const record = JSON.stringify(snapshotOf(newest));
  await tx
    .insertInto("newestSnapshots")
    .values({ host, plan, source, destination, record })
    .onConflict((conflict) =>
      conflict.columns(["host", "plan", "source", "destination"]).doUpdateSet({ record }),
    )
    .execute();
}

/** Makes all anew from the records, of the plans that have a row: after a migration. */
export async function refreshAll(tx: Transaction<Tables>): Promise<void> {
  for (const of of await tx.selectFrom("planStates").select(["host", "plan"]).execute()) {
    await refreshRuns(tx, of);
    await refreshProof(tx, of);
    await refreshMisses(tx, of);
  }
  const places = tx.selectFrom("snapshots").select(["host", "plan", "source", "destination"]);
  for (const place of await places.distinct().execute()) await refreshNewest(tx, place);
}

function jsonOf(row: object | undefined): string | null {
  return row === undefined ? null : JSON.stringify(fromRow(row));
}

/** A host's plans that are named, or a page of its plans or of those of all hosts. */
async function statesOf(
  db: Kysely<Tables>,
  wanted:
    | { readonly host: string; readonly plans: readonly string[] }
    | { readonly host: string | undefined; readonly after: HostPlan | undefined },
): Promise<PlanState[]> {
  const { host } = wanted;
  let states = db.selectFrom("planStates").selectAll();
  let snapshots = db
    .selectFrom("newestSnapshots")
    .select(["plan", "record"])
    // A column of so many rows takes a tenth of the time, and says nothing where there is one host.
    .$if(host === undefined, (query) => query.select("host"));
  if (host !== undefined) {
    states = states.where("host", "=", host);
    snapshots = snapshots.where("host", "=", host);
  }
  if ("plans" in wanted) {
    states = states.where("plan", "in", wanted.plans);
    snapshots = snapshots.where("plan", "in", wanted.plans);
  } else if (wanted.after !== undefined) {
    const { after } = wanted;
    if (host === undefined) {
      states = states.where((eb) =>
        eb(eb.refTuple("host", "plan"), ">", eb.tuple(after.host, after.plan)),
      );
      snapshots = snapshots.where((eb) =>
        eb(eb.refTuple("host", "plan"), ">", eb.tuple(after.host, after.plan)),
      );
    } else {
      states = states.where("plan", ">", after.plan);
      snapshots = snapshots.where("plan", ">", after.plan);
    }
  }
  const rows = await states.orderBy("host").orderBy("plan").limit(CATALOG_PLANS_PAGE).execute();
  const last = rows.at(-1);
  if (last === undefined) return [];
  const upToLast =
    host === undefined
      ? snapshots.where((eb) =>
          eb(eb.refTuple("host", "plan"), "<=", eb.tuple(last.host, last.plan)),
        )
      : snapshots.where("plan", "<=", last.plan);
  // Neither of the two holds a NUL.
  const keyOf = (of: { readonly host?: string; readonly plan: string }): string =>
    host === undefined ? `${of.host}\0${of.plan}` : of.plan;
  const newest = new Map<string, SnapshotRecord[]>();
  for (const { record, ...of } of await upToLast
    .orderBy("host")
    .orderBy("plan")
    .orderBy("source")
    .orderBy("destination")
    .execute()) {
    const key = keyOf(of);
    const list = newest.get(key);
    const snapshot = JSON.parse(record) as SnapshotRecord;
    if (list === undefined) newest.set(key, [snapshot]);
    else list.push(snapshot);
  }
  return rows.map((row) => stateOf(row, newest.get(keyOf(row)) ?? []));
}

function stateOf(
  row: Selectable<Tables["planStates"]>,
  newest: readonly SnapshotRecord[],
): PlanState {
  const { host, plan, isRunning, openMisses } = row;
  const lastRun = recordOf<RunRecord>(row.lastRun);
  const isLastGood = row.lastGoodRunId !== null && row.lastGoodRunId === row.lastRunId;
  const lastGoodRun = isLastGood ? lastRun : recordOf<RunRecord>(row.lastGoodRun);
  const lastProof = recordOf<ProofRecord>(row.lastProof);
  return {
    host,
    plan,
    ...(lastRun === undefined ? {} : { lastRun }),
    ...(lastGoodRun === undefined ? {} : { lastGoodRun }),
    isRunning: isRunning === 1,
    newest,
    ...(lastProof === undefined ? {} : { lastProof }),
    openMisses,
  };
}

function recordOf<T>(json: string | null): T | undefined {
  return json === null ? undefined : (JSON.parse(json) as T);
}

function noState(of: HostPlan): PlanState {
  return { ...of, isRunning: false, newest: [], openMisses: 0 };
}

function byPlan(a: PlanState, b: PlanState): number {
  return a.plan < b.plan ? -1 : 1;
}
