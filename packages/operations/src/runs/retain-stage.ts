import { ComebackError, formatCount, formatMany } from "@comeback/core";
import {
  executeForget,
  executePrune,
  type ForgetPlan,
  listSnapshots,
  planForgetNamed,
  planPrune,
  type Snapshot,
} from "@comeback/engine";
import {
  planRetention,
  type RetentionPlan,
  type RetentionRule,
  retentionRules,
} from "../retention/plan-retention.ts";
import { historyOf } from "./compare-with-history.ts";
import { awaitingCopy as snapshotsAwaitingCopy } from "./copy-stage.ts";
import type { LiveDestination } from "./live-destination.ts";
import { type ActiveStage, textOf } from "./run-recorder.ts";
import { type RunState, writtenDestinations } from "./run-state.ts";
import { earlierCaptures, spoiltSnapshots, unprovenSnapshots } from "./source-history.ts";

/**
 * Removes in each destination what its rules do not keep: never of a source that is not as it should
 * be, and never what a copy has still to bring elsewhere.
 */
export async function retainStage(state: RunState): Promise<void> {
  const { services, plan, destinations } = state;
  for (const destination of writtenDestinations(state)) await removeSpoilt(state, destination);
  const guarded = await guardedSources(state);
  for (const rule of retentionRules(services.configuration, plan)) {
    const destination = destinations.get(rule.destination);
    if (destination === undefined) continue;
    await retainIn(state, { destination, rule, guarded });
    await pruneWhereDue(state, destination);
  }
}

interface RetainJob {
  readonly destination: LiveDestination;
  readonly rule: RetentionRule;
  readonly guarded: ReadonlySet<string>;
}

async function retainIn(state: RunState, job: RetainJob): Promise<void> {
  const { recorder, services, request } = state;
  const { destination, rule, guarded } = job;
  const { name } = destination;
  await recorder.stage({ stage: "retain", subject: name }, async (stage) => {
    const { repository, mayWrite, signal: lockSignal } = await destination.open();
    const signal = AbortSignal.any([stage.signal, lockSignal]);
    const awaitingCopy = await idsAwaitingCopy(state, destination, signal).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        throw new ComebackError("copy.incomplete", "nothing was removed", {
          why: `it cannot be seen what is still to be copied: ${textOf(error)}`,
          next: "the next run makes up for it",
          cause: error,
        });
      },
    );
    const filter = { hosts: [services.host], tags: [[`plan:${request.plan}`]] };
    const retention = planRetention({
      ...rule,
      snapshots: await listSnapshots(repository, filter, { signal }),
      awaitingCopy,
      guarded,
      unproven: await unprovenSnapshots(state, name),
      nowMs: services.clock.now(),
    });
    const doomed = retention.groups.flatMap(({ remove }) => remove);
    tell(stage, retention, doomed);
    if (request.dryRun || doomed.length === 0) return;
    await mayWrite;
    await remove(state, {
      destination,
      plan: retention,
      action: "retention.remove",
      signal,
      stage,
    });
  });
}

/** What this run has captured and then found to be worth nothing goes at once. */
async function removeSpoilt(state: RunState, destination: LiveDestination): Promise<void> {
  const ids = spoiltSnapshots(state, destination.name);
  if (ids.size === 0) return;
  const subject = `${destination.name}, spoilt`;
  await state.recorder.stage({ stage: "retain", subject }, async (stage) => {
    const { repository, mayWrite, signal: lockSignal } = await destination.open();
    const signal = AbortSignal.any([stage.signal, lockSignal]);
    const filter = { tags: [[`run:${state.runId}`]] };
    const known = await listSnapshots(repository, filter, { signal });
    await mayWrite;
    const plan = planForgetNamed(known.filter(({ id }) => ids.has(id)));
    await remove(state, { destination, plan, action: "snapshot.spoilt", signal, stage });
    stage.log(`${formatMany(ids.size, "snapshot")} removed: what they were read from had changed`);
  });
}

/**
 * Sources about which something is open: what is there of them stays until that is settled. Of those
 * that this run did not capture, the newest earlier capture says it.
 */
async function guardedSources(state: RunState): Promise<Set<string>> {
  const { sources, plan } = state;
  const guarded = new Set(
    sources
      .filter(
        ({ deviations, outcome, isCompared }) =>
          deviations.length > 0 || outcome === "failed" || !isCompared,
      )
      .map(({ name }) => name),
  );
  for (const [name, { expect }] of Object.entries(plan.sources)) {
    if (sources.some((source) => source.name === name && source.capture !== undefined)) continue;
    const captures = await earlierCaptures(state, name);
    if (captures === undefined) guarded.add(name);
    const [newest] = captures ?? [];
    const { before, surge } = historyOf(captures ?? [], expect);
    if (newest !== before[0] || surge !== undefined) guarded.add(name);
  }
  return guarded;
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
    if (target === undefined) throw new Error(`${settings.to} is not open`);
    const job = { settings, source, target, signal };
    for (const { id } of await snapshotsAwaitingCopy(state, job)) ids.add(id);
  }
  return ids;
}

function tell(stage: ActiveStage, retention: RetentionPlan, doomed: readonly Snapshot[]): void {
  const kept = retention.groups.reduce((sum, { keep }) => sum + keep.length, 0);
  stage.log(`${formatMany(kept, "snapshot")} stay, ${formatCount(doomed.length)} go`);
  for (const source of retention.guarded) {
    stage.log(`nothing of ${source} is removed: it is not as it should be`, "warning");
  }
  const { length } = retention.awaitingCopy;
  if (length > 0) stage.log(`${length} stay until they are copied`, "warning");
}

async function remove(
  { services, catalog, recorder, request }: RunState,
  job: {
    readonly destination: LiveDestination;
    readonly plan: ForgetPlan;
    readonly action: string;
    readonly stage: ActiveStage;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { destination, plan, action, stage, signal } = job;
  const { repository } = await destination.open();
  const { clock, actor } = services;
  const gone: string[] = [];
  try {
    const onRemoved = (id: string): unknown => gone.push(id);
    const { failed } = await executeForget(repository, plan, { signal, onRemoved });
    for (const { id, message } of failed) stage.log(`${id.slice(0, 8)}: ${message}`, "error");
    if (failed.length > 0) throw notRemoved(failed);
  } finally {
    // Also of what was removed before it broke off, the catalog has to know.
    await recorder.save(() => catalog.markRemoved(destination.name, gone, clock.now()));
    await recorder.save(() =>
      catalog.appendAudit({
        atMs: clock.now(),
        actor,
        action,
        subject: `${request.plan} in ${destination.name}`,
        details: { removed: gone.length, ids: gone.map((id) => id.slice(0, 12)).join(" ") },
      }),
    );
  }
}

function notRemoved(failed: readonly { readonly message: string }[]): ComebackError {
  const what = `${formatMany(failed.length, "snapshot")} could not be removed`;
  return new ComebackError("forget.incomplete", what, {
    why: failed[0]?.message ?? "",
    next: "the next run tries them again",
  });
}

/** Frees what only removed snapshots needed, at most once in `prune-every`. */
async function pruneWhereDue(state: RunState, destination: LiveDestination): Promise<void> {
  const { services, catalog, recorder, request } = state;
  const { clock } = services;
  const { name, settings } = destination;
  if (request.dryRun) return;
  const key = `pruned:${name}`;
  const last = await recorder.read(() => catalog.readNote(key));
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
