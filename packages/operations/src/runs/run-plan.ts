import {
  type CatalogStore,
  ComebackError,
  type RunRecord,
  type SnapshotRecord,
  type StageRecord,
} from "@comeback/core";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import { notificationOfRun } from "../notify/notification-of-run.ts";
import { captureKit } from "./capture-kit.ts";
import { captureStage } from "./capture-stage.ts";
import { copyStage } from "./copy-stage.ts";
import { coverStage } from "./cover-stage.ts";
import { dryCatalog } from "./dry-catalog.ts";
import { Freeze } from "./freeze-stage.ts";
import { preflightStage } from "./preflight-stage.ts";
import { reportStage } from "./report-stage.ts";
import { retainStage } from "./retain-stage.ts";
import { momentOf, runHookList } from "./run-hook-list.ts";
import { makeRunId } from "./run-id.ts";
import { takeRunLock } from "./run-lock.ts";
import { RunRecorder, textOf } from "./run-recorder.ts";
import type { RunServices } from "./run-services.ts";
import {
  liveSources,
  makeSourceRun,
  type RunRequest,
  type RunState,
  type SourceRun,
  writtenDestinations,
} from "./run-state.ts";
import { TimeLimit } from "./time-limit.ts";
import { verifyStage } from "./verify-stage.ts";

export interface RunReport {
  readonly run: RunRecord;
  readonly stages: readonly StageRecord[];
  readonly sources: readonly SourceRun[];
}

/**
 * Runs a plan once, from its preflight to its report. What fails is told and contained: the other
 * sources and destinations go on. Rejects only where it could not begin, and at an abort; whatever
 * it did to the service is undone by then.
 */
export async function runPlan(request: RunRequest, services: RunServices): Promise<RunReport> {
  const plan = checkRequest(request, services);
  await using _lock = request.dryRun
    ? undefined
    : await takeRunLock({ stateFolder: services.stateFolder, plan: request.plan });
  using limit = new TimeLimit(plan.timeout, services);
  return await new PlanRun(request, plan, { services, limit }).execute();
}

/** The plan that is meant. Rejects what names a plan, source or copy that there is not. */
export function checkRequest(
  { plan: name, only = [], part }: Pick<RunRequest, "plan" | "only" | "part">,
  { configuration }: Pick<RunServices, "configuration">,
): PlanSettings {
  const plan = configuration.plans[name];
  if (plan === undefined) throw noSuchPlan(name, Object.keys(configuration.plans));
  requireKnown(only, Object.keys(plan.sources), { kind: "source", plan: name });
  if (part !== "all") {
    const targets = plan.copies.map(({ to }) => to);
    requireKnown(part.copies, targets, { kind: "copy to", plan: name });
  }
  return plan;
}

class PlanRun {
  readonly #state: RunState;

  constructor(
    request: RunRequest,
    plan: PlanSettings,
    { services, limit }: { readonly services: RunServices; readonly limit: TimeLimit },
  ) {
    const { clock, random, host, observer } = services;
    const { signal } = limit;
    const runId = makeRunId({ clock, random });
    const capturing = request.part === "all";
    const record: RunRecord = {
      id: runId,
      plan: request.plan,
      host,
      trigger: request.trigger,
      backupType: capturing ? request.type : undefined,
      scheduledForMs: request.scheduledForMs,
      startedAtMs: clock.now(),
      processId: process.pid,
    };
    const catalog: CatalogStore = request.dryRun ? dryCatalog(services.catalog) : services.catalog;
    this.#state = {
      services,
      catalog,
      request,
      plan,
      recorder: new RunRecorder({ run: record, catalog, clock, observer, signal }),
      runId,
      signal,
      sources: capturing ? chosenSources(plan, request) : [],
      destinations: new Map(),
    };
  }

  async execute(): Promise<RunReport> {
    const { recorder } = this.#state;
    await recorder.begin();
    await this.#audit("run.start", {});
    await this.#notify();
    let thrown: unknown;
    try {
      await this.#work();
    } catch (error) {
      thrown = error;
    }
    await this.#closeDestinations();
    return this.#report(thrown);
  }

  async #work(): Promise<void> {
    const { services, plan, request, runId } = this.#state;
    if (!(await this.#mayStart())) return;
    // A dry run touches nothing: there is nothing to take back.
    await using stack = request.dryRun
      ? undefined
      : await services.openUndo({ runId, plan: request.plan });
    await preflightStage(this.#state);
    if (request.part === "all") {
      await this.#capture(stack === undefined ? undefined : new Freeze(this.#state, stack));
      await captureKit(this.#state);
    }
    await verifyStage(this.#state);
    if (plan.copies.length > 0) await copyStage(this.#state);
    await coverStage(this.#state);
    await retainStage(this.#state);
    await reportStage(this.#state);
  }

  async #capture(freeze: Freeze | undefined): Promise<void> {
    try {
      // No service is brought to rest for a backup that nothing can take.
      if (writtenDestinations(this.#state).length > 0) await freeze?.take();
      for (const source of liveSources(this.#state)) {
        if (source.capture === undefined) await captureStage(this.#state, source);
      }
    } finally {
      await freeze?.release();
    }
  }

  /** False where a hook says that there is nothing to do now, or fails. */
  async #mayStart(): Promise<boolean> {
    const { plan, recorder } = this.#state;
    const { outcome, message } = await runHookList(this.#state, {
      hooks: plan.hooks,
      when: "start",
    });
    if (outcome === "skipped") recorder.skip(message ?? "a hook said so");
    else recorder.note(outcome, message);
    return outcome === "ok" || outcome === "warning";
  }

  async #closeDestinations(): Promise<void> {
    const { destinations, recorder } = this.#state;
    for (const [name, destination] of destinations) {
      await destination.close().catch((error: unknown) => {
        recorder.note("warning", textOf(error), name);
        recorder.log("warning", textOf(error), { subject: name });
      });
    }
  }

  async #report(failure: unknown): Promise<RunReport> {
    const { recorder, services, sources } = this.#state;
    let thrown = failure;
    if (thrown !== undefined) this.#tellThrown(thrown);
    for (const source of sources) {
      const { name, failure: why, outcome, capture } = source;
      if (why !== undefined && outcome === "failed") recorder.note("failed", why, name);
      // Nobody came to it: that is no success.
      if (why === undefined && capture === undefined) source.outcome = "skipped";
    }
    try {
      if (!services.signal.aborted) await this.#endHooks();
    } catch (error) {
      thrown ??= error;
      this.#tellThrown(error);
    }
    const { outcome, message } = recorder;
    const run = await recorder.end(outcome, message);
    await this.#audit("run.end", { outcome });
    await this.#notify();
    // One that came when all was done has changed nothing.
    if (services.signal.aborted && thrown !== undefined) throw services.signal.reason;
    return { run, stages: recorder.stages, sources };
  }

  async #endHooks(): Promise<void> {
    const { recorder, plan } = this.#state;
    const { outcome, message = "" } = recorder;
    const facts = { outcome, message };
    const wish = { hooks: plan.hooks, when: momentOf(outcome), facts };
    const ended = await runHookList(this.#state, wish);
    if (ended.outcome !== "skipped") recorder.note(ended.outcome, ended.message);
  }

  /** At an abort that is what is told first; what could not be undone then is told, too. */
  #tellThrown(thrown: unknown): void {
    const { recorder, signal } = this.#state;
    if (signal.aborted) recorder.note("failed", textOf(signal.reason));
    const parts = thrown instanceof SuppressedError ? [thrown.error, thrown.suppressed] : [thrown];
    for (const part of parts) {
      if (signal.aborted && part === signal.reason) continue;
      recorder.note("failed", textOf(part));
      recorder.log("error", textOf(part));
    }
  }

  #audit(action: string, details: Readonly<Record<string, string>>): Promise<void> {
    const { recorder, services, catalog, request, runId } = this.#state;
    const { clock, actor } = services;
    return recorder.save(() =>
      catalog.appendAudit({
        atMs: clock.now(),
        actor,
        action,
        subject: request.plan,
        details: { run: runId, trigger: request.trigger, ...details },
      }),
    );
  }

  /** Never a reason for a run to fail. */
  async #notify(): Promise<void> {
    const { recorder, services, plan, request } = this.#state;
    if (plan.notify.length === 0 || request.dryRun) return;
    const snapshots = await this.#madeSnapshots();
    const nowMs = services.clock.now();
    const notification = notificationOfRun(recorder.run, recorder.stages, { nowMs, snapshots });
    await services.notify(plan.notify, notification).catch((error: unknown) => {
      recorder.log("warning", `not everybody could be told: ${textOf(error)}`, { stage: "report" });
    });
    await recorder.flush();
  }

  /** In the order in which they were made. None where the catalog does not say: that was told. */
  async #madeSnapshots(): Promise<SnapshotRecord[]> {
    const { services, recorder, runId } = this.#state;
    if (recorder.run.endedAtMs === undefined) return [];
    const filter = { runId, limit: RUN_SNAPSHOTS_TOLD_MAX };
    const newestFirst = await services.catalog.listSnapshots(filter).catch(() => []);
    return newestFirst.toReversed();
  }
}

/** Snapshots of a run that its notification counts. */
const RUN_SNAPSHOTS_TOLD_MAX = 1000;

function chosenSources(plan: PlanSettings, { only }: RunRequest): SourceRun[] {
  return Object.entries(plan.sources)
    .filter(([name]) => only?.includes(name) ?? true)
    .map(([name, settings]) => makeSourceRun(name, settings));
}

function noSuchPlan(name: string, known: readonly string[]): ComebackError {
  return new ComebackError("plan.not-found", `there is no plan ${name}`, {
    next: known.length === 0 ? "write one: `comeback setup`" : `there is ${known.join(", ")}`,
  });
}

function requireKnown(
  given: readonly string[],
  known: readonly string[],
  { kind, plan }: { readonly kind: string; readonly plan: string },
): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ComebackError("plan.not-found", `the plan ${plan} has no ${kind} ${unknown}`, {
    next: known.length === 0 ? "it has none" : `it has ${known.join(", ")}`,
  });
}
