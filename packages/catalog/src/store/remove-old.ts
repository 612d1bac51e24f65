import { CATALOG_ROWS_AT_ONCE } from "@comeback/core";
import type { HostScope } from "../host-scope.ts";
import { lockPlans, refreshMisses } from "./plan-states.ts";

/** In steps, so that others can write between them. Resolves to the number of runs. */
export async function removeRunsBefore(
  { database, host }: HostScope,
  atMs: number,
): Promise<number> {
  let removed = 0;
  let last: { startedAtMs: number; id: string } | undefined;
  do {
    last = await database.write(async (tx) => {
      const after = last;
      let query = tx
        .selectFrom("runs")
        .leftJoin("planStates", (join) =>
          join
            .onRef("planStates.host", "=", "runs.host")
            .onRef("planStates.plan", "=", "runs.plan"),
        )
        .select(["runs.id as id", "runs.startedAtMs as startedAtMs"])
        .select((eb) =>
          eb
            .case()
            .when(
              eb.or([
                eb("runs.endedAtMs", "is", null),
                eb("planStates.lastRunId", "=", eb.ref("runs.id")),
                eb("planStates.lastGoodRunId", "=", eb.ref("runs.id")),
              ]),
            )
            .then(1)
            .else(0)
            .end()
            .as("stays"),
        )
        .where("runs.host", "=", host)
        .where("runs.startedAtMs", "<", atMs);
      if (after !== undefined) {
        query = query.where((eb) =>
          eb.or([
            eb("runs.startedAtMs", ">", after.startedAtMs),
            eb.and([eb("runs.startedAtMs", "=", after.startedAtMs), eb("runs.id", ">", after.id)]),
          ]),
        );
      }
      const rows = await query
        .orderBy("runs.startedAtMs")
        .orderBy("runs.id")
        .limit(CATALOG_ROWS_AT_ONCE)
        .execute();
      const ids = rows.filter(({ stays }) => stays === 0).map(({ id }) => id);
      if (ids.length > 0) {
        await tx.deleteFrom("stages").where("runId", "in", ids).execute();
        await tx.deleteFrom("logLines").where("runId", "in", ids).execute();
        await tx.deleteFrom("runs").where("id", "in", ids).execute();
      }
      removed += ids.length;
      return rows.at(-1);
    });
  } while (last !== undefined);
  await removeOthers({ database, host }, atMs);
  return removed;
}

/** Snapshots that were removed, and misses. */
async function removeOthers({ database, host }: HostScope, atMs: number): Promise<void> {
  await database.write(async (tx) => {
    await tx
      .deleteFrom("snapshots")
      .where("host", "=", host)
      .where("removedAtMs", "<", atMs)
      .execute();
    const missed = await tx
      .selectFrom("misses")
      .select("plan")
      .distinct()
      .where("host", "=", host)
      .where("noticedAtMs", "<", atMs)
      .execute();
    const plans = missed.map(({ plan }) => plan);
    await lockPlans(tx, host, plans);
    await tx
      .deleteFrom("misses")
      .where("host", "=", host)
      .where("noticedAtMs", "<", atMs)
      .execute();
    for (const plan of plans) await refreshMisses(tx, { host, plan });
  });
}
