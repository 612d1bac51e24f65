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
import { fromRow, snapshotOf } from "../rows.ts";
import { PROOF_COLUMNS, type Tables } from "../tables.ts";

/**
 * `status` asks for the newest of everything, of every plan: out of millions of records that takes
 * seconds. It is therefore kept, a row a plan, by whoever writes a record, in the same transaction.
 */
export async function readPlanStates(
  database: CatalogDatabase,
  plans?: readonly string[],
): Promise<PlanState[]> {
  if (plans === undefined) return await readAll(database);
  const names = [...new Set(plans)];
  const found: PlanState[] = [];
  for (const some of chunksOf(names, CATALOG_ROWS_AT_ONCE)) {
    found.push(...(await database.read((db) => statesOf(db, { plans: some }))));
  }
  const known = new Map(found.map((state) => [state.plan, state]));
  return names.map((plan) => known.get(plan) ?? noState(plan)).toSorted(byPlan);
}

/** In pages: what else the process does goes on between them, and their rows are soon garbage. */
async function readAll(database: CatalogDatabase): Promise<PlanState[]> {
  const found: PlanState[] = [];
  for (;;) {
    const after = found.at(-1)?.plan;
    const page = await database.read((db) => statesOf(db, { after }));
    found.push(...page);
    if (page.length < CATALOG_PLANS_PAGE) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Holds other writers of these plans off until the transaction ends, so that none overlooks what
 * another has not committed yet. Makes their rows.
 */
export async function lockPlans(tx: Transaction<Tables>, plans: Iterable<string>): Promise<void> {
  // In one order everywhere: two that lock the same plans do not wait for each other.
  for (const plan of [...new Set(plans)].toSorted()) {
    await tx
      .insertInto("planStates")
      .values({ plan })
      .onConflict((conflict) =>
        conflict.column("plan").doUpdateSet((eb) => ({ plan: eb.ref("excluded.plan") })),
      )
      .execute();
  }
}

/** After a run of the plan was saved. */
export async function refreshRuns(tx: Transaction<Tables>, plan: string): Promise<void> {
  const runs = tx
    .selectFrom("runs")
    .selectAll()
    .where("plan", "=", plan)
    .orderBy("startedAtMs", "desc")
    .orderBy("id", "desc")
    .limit(1);
  const last = await runs.executeTakeFirst();
  const good = await runs.where("outcome", "in", ["ok", "warning"]).executeTakeFirst();
  const open = await tx
    .selectFrom("runs")
    .select("id")
    .where("plan", "=", plan)
    .where("endedAtMs", "is", null)
    .limit(1)
    .executeTakeFirst();
  await tx
    .updateTable("planStates")
    .set({
      lastRunId: last?.id ?? null,
      lastRun: jsonOf(last),
      lastGoodRunId: good?.id ?? null,
      // Mostly the same: to read it twice would be a quarter of what `status` takes.
      lastGoodRun: good?.id === last?.id ? null : jsonOf(good),
      isRunning: open === undefined ? 0 : 1,
    })
    .where("plan", "=", plan)
    .execute();
}

/** After a proof of the plan was saved. */
export async function refreshProof(tx: Transaction<Tables>, plan: string): Promise<void> {
  const last = await tx
    .selectFrom("proofs")
    .select([...PROOF_COLUMNS])
    .where("plan", "=", plan)
    .orderBy("atMs", "desc")
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  await tx
    .updateTable("planStates")
    .set({ lastProof: jsonOf(last) })
    .where("plan", "=", plan)
    .execute();
}

/** After misses of the plan were saved or removed. */
export async function refreshMisses(tx: Transaction<Tables>, plan: string): Promise<void> {
  const open = await tx
    .selectFrom("misses")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("plan", "=", plan)
    .where("caughtUpBy", "is", null)
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("planStates")
    .set({ openMisses: open.count })
    .where("plan", "=", plan)
    .execute();
}

type Place = Pick<SnapshotRecord, "plan" | "source" | "destination">;

/** After a snapshot of a plan's source in a destination was saved or removed. */
export async function refreshNewest(tx: Transaction<Tables>, place: Place): Promise<void> {
  const { plan, source, destination } = place;
  const newest = await tx
    .selectFrom("snapshots")
    .selectAll()
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
      .where("plan", "=", plan)
      .where("source", "=", source)
      .where("destination", "=", destination)
      .execute();
    return;
  }
  const record = JSON.stringify(snapshotOf(newest));
  await tx
    .insertInto("newestSnapshots")
    .values({ plan, source, destination, record })
    .onConflict((conflict) =>
      conflict.columns(["plan", "source", "destination"]).doUpdateSet({ record }),
    )
    .execute();
}

function jsonOf(row: object | undefined): string | null {
  return row === undefined ? null : JSON.stringify(fromRow(row));
}

/** Of the plans that are named, or of a page of all. */
async function statesOf(
  db: Kysely<Tables>,
  wanted: { readonly plans: readonly string[] } | { readonly after: string | undefined },
): Promise<PlanState[]> {
  let states = db.selectFrom("planStates").selectAll();
  let snapshots = db.selectFrom("newestSnapshots").select(["plan", "record"]);
  if ("plans" in wanted) {
    states = states.where("plan", "in", wanted.plans);
    snapshots = snapshots.where("plan", "in", wanted.plans);
  } else if (wanted.after !== undefined) {
    states = states.where("plan", ">", wanted.after);
    snapshots = snapshots.where("plan", ">", wanted.after);
  }
  const rows = await states.orderBy("plan").limit(CATALOG_PLANS_PAGE).execute();
  const last = rows.at(-1);
  if (last === undefined) return [];
  const newest = new Map<string, SnapshotRecord[]>();
  for (const { plan, record } of await snapshots
    .where("plan", "<=", last.plan)
    .orderBy("plan")
    .orderBy("source")
    .orderBy("destination")
    .execute()) {
    const list = newest.get(plan);
    const snapshot = JSON.parse(record) as SnapshotRecord;
    if (list === undefined) newest.set(plan, [snapshot]);
    else list.push(snapshot);
  }
  return rows.map((row) => stateOf(row, newest.get(row.plan) ?? []));
}

function stateOf(
  row: Selectable<Tables["planStates"]>,
  newest: readonly SnapshotRecord[],
): PlanState {
  const { plan, isRunning, openMisses } = row;
  const lastRun = recordOf<RunRecord>(row.lastRun);
  const isLastGood = row.lastGoodRunId !== null && row.lastGoodRunId === row.lastRunId;
  const lastGoodRun = isLastGood ? lastRun : recordOf<RunRecord>(row.lastGoodRun);
  const lastProof = recordOf<ProofRecord>(row.lastProof);
  return {
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

function noState(plan: string): PlanState {
  return { plan, isRunning: false, newest: [], openMisses: 0 };
}

function byPlan(a: PlanState, b: PlanState): number {
  return a.plan < b.plan ? -1 : 1;
}
