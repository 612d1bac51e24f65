import { ComebackError } from "@comeback/core";
import {
  executeForget,
  executePrune,
  listSnapshots,
  planPrune,
  type Snapshot,
} from "@comeback/engine";
import { planRetention, type RetentionPlan, retentionRules } from "../retention/plan-retention.ts";
import { awaitingCopy, unknownCopies } from "./copy-stage.ts";
import type { LiveDestination } from "./live-destination.ts";
import type { ActiveStage } from "./run-recorder.ts";
import type { RunState } from "./run-state.ts";

/**
 * Removes in each destination what its rules do not keep: never of a source that is not as it should
 * be, and never what a copy has still to bring elsewhere.
 */
export async function retainStage(state: RunState): Promise<void> {
  const { recorder, services, plan, destinations, request } = state;
  for (const { destination: name, keep } of retentionRules(services.configuration, plan)) {
    const destination = destinations.get(name);
    if (destination === undefined) continue;
    await recorder.stage({ stage: "retain", subject: name }, async (stage) => {
      const { repository, mayWrite, signal: lockSignal } = await destination.open();
      const signal = AbortSignal.any([stage.signal, lockSignal]);
      const waiting = await idsAwaitingCopy(state, destination, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw new ComebackError("copy.incomplete", "nothing was removed", {
          why: unknownCopies(error),
          next: "the next run makes up for it",
          cause: error,
        });
      });
      const filter = { hosts: [services.host], tags: [[`plan:${request.plan}`]] };
      const retention = planRetention({
        destination: name,
        keep,
        snapshots: await listSnapshots(repository, filter, { signal }),
        awaitingCopy: waiting,
        guarded: guardedSources(state),
        keepsLastFull: plan.to.includes(name) && plan.schedule?.triggers.differential !== undefined,
        nowMs: services.clock.now(),
      });
      const doomed = retention.groups.flatMap(({ remove }) => remove);
      tell(stage, retention, doomed);
      if (request.dryRun || doomed.length === 0) return;
      await mayWrite;
      await remove(state, { destination, retention, doomed, stage, signal });
    });
    await pruneWhereDue(state, destination);
  }
}

/** Sources about which something is open: what is there of them stays until that is settled. */
function guardedSources({ sources }: RunState): Set<string> {
  const open = sources.filter(
    ({ deviations, outcome }) => deviations.length > 0 || outcome === "failed",
  );
  return new Set(open.map(({ name }) => name));
}

async function idsAwaitingCopy(
  state: RunState,
  source: LiveDestination,
  signal: AbortSignal,
): Promise<Set<string>> {
  const { plan, services, destinations } = state;
  const ids = new Set<string>();
  for (const settings of plan.copies) {
    if (settings.from !== source.name) continue;
    if (services.configuration.destinations[settings.to]?.replica !== undefined) continue;
    const target = destinations.get(settings.to);
    if (target === undefined) throw new Error(`${settings.to} could not be opened`);
    const job = { settings, source, target, signal };
    for (const { id } of await awaitingCopy(state, job)) ids.add(id);
  }
  return ids;
}

function tell(stage: ActiveStage, retention: RetentionPlan, doomed: readonly Snapshot[]): void {
  const kept = retention.groups.reduce((sum, { keep }) => sum + keep.length, 0);
  stage.log(`${kept} snapshots stay, ${doomed.length} go`);
  for (const source of retention.guarded) {
    stage.log(`nothing of ${source} is removed: it is not as it should be`, "warning");
  }
  const { length } = retention.awaitingCopy;
  if (length > 0) stage.log(`${length} stay until they are copied`, "warning");
}

async function remove(
  { services, recorder, request }: RunState,
  job: {
    readonly destination: LiveDestination;
    readonly retention: RetentionPlan;
    readonly doomed: readonly Snapshot[];
    readonly stage: ActiveStage;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { destination, retention, doomed, stage, signal } = job;
  const { repository } = await destination.open();
  const { catalog, clock, actor } = services;
  const { failed } = await executeForget(repository, retention, { signal });
  const left = new Set(failed.map(({ id }) => id));
  const gone = doomed.map(({ id }) => id).filter((id) => !left.has(id));
  await recorder.save(() => catalog.markRemoved(destination.name, gone, clock.now()));
  await recorder.save(() =>
    catalog.appendAudit({
      atMs: clock.now(),
      actor,
      action: "retention.remove",
      subject: `${request.plan} in ${destination.name}`,
      details: { removed: gone.length, ids: gone.map((id) => id.slice(0, 12)).join(" ") },
    }),
  );
  for (const { id, message } of failed) stage.log(`${id.slice(0, 8)}: ${message}`, "error");
  if (failed.length === 0) return;
  throw new ComebackError("forget.incomplete", `${failed.length} snapshots could not be removed`, {
    why: failed[0]?.message ?? "",
    next: "the next run tries them again",
  });
}

/** Frees what only removed snapshots needed, at most once in `prune-every`. */
async function pruneWhereDue(state: RunState, destination: LiveDestination): Promise<void> {
  const { services, recorder, request } = state;
  const { catalog, clock } = services;
  const { name, settings } = destination;
  if (request.dryRun) return;
  const key = `pruned:${name}`;
  let last: string | undefined;
  await recorder.save(async () => (last = await catalog.readNote(key)));
  if (last !== undefined && clock.now() - Number(last) < settings.pruneEvery) return;
  await recorder.stage({ stage: "retain", subject: `${name}, prune` }, async (stage) => {
    await destination.close();
    await using open = await services.openDestination(name, {
      activity: "prune",
      signal: stage.signal,
    });
    const { repository, mayWrite } = open;
    const signal = AbortSignal.any([stage.signal, open.signal]);
    await mayWrite;
    const prepared = await planPrune({ repository, signal });
    await executePrune(prepared, { signal, mayWrite });
    stage.log("what nothing needs any more was marked, or deleted where its time had come");
    await recorder.save(() => catalog.saveNote(key, String(clock.now())));
  });
}
