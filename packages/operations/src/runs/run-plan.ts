import {
  ComebackError,
  isComebackError,
  type RunOutcome,
  type RunRecord,
  type SnapshotRecord,
  type StageRecord,
} from "@comeback/core";
import { runHooks } from "../hooks/run-hooks.ts";
import { notificationOfRun } from "../notify/notification-of-run.ts";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import { source, type SourceSettings } from "../configuration/schema/source.ts";
import { bootstrapKit, KIT_FOLDER, KIT_SOURCE } from "./bootstrap-kit.ts";
import { captureStage } from "./capture-stage.ts";
import { copyStage } from "./copy-stage.ts";
import { Freeze } from "./freeze-stage.ts";
import { preflightStage } from "./preflight-stage.ts";
import { dryCatalog } from "./dry-catalog.ts";
import { reportStage } from "./report-stage.ts";
import { retainStage } from "./retain-stage.ts";
import { makeRunId } from "./run-id.ts";
import { RunLock } from "./run-lock.ts";
import { RunRecorder, textOf } from "./run-recorder.ts";
import type { RunServices } from "./run-services.ts";
import { liveSources, type RunRequest, type RunState, type SourceRun } from "./run-state.ts";
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
export async function runPlan(request: RunRequest, given: RunServices): Promise<RunReport> {
  const plan = given.configuration.plans[request.plan];
  if (plan === undefined) throw noSuchPlan(request.plan, Object.keys(given.configuration.plans));
  const services = request.dryRun ? { ...given, catalog: dryCatalog(given.catalog) } : given;
  await using _lock = request.dryRun
    ? undefined
    : await RunLock.take({ stateFolder: services.stateFolder, plan: request.plan });
  return await new PlanRun(request, plan, services).execute();
}

const LEVELS = { ok: "info", skipped: "info", warning: "warning", failed: "error" } as const;

class PlanRun {
  readonly #state: RunState;

  constructor(request: RunRequest, plan: PlanSettings, services: RunServices) {
    const { clock, random, host, signal } = services;
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
    const { catalog, observer } = services;
    const recorder = new RunRecorder({ run: record, catalog, clock, observer, signal });
    const sources = capturing ? chosenSources(plan, request) : [];
    this.#state = {
      services,
      request,
      plan,
      recorder,
      runId,
      signal,
      sources,
      destinations: new Map(),
    };
  }

  async execute(): Promise<RunReport> {
    const { recorder, destinations } = this.#state;
    await recorder.begin();
    await this.#audit("run.start", {});
    await this.#notify();
    let thrown: unknown;
    try {
      await this.#work();
    } catch (error) {
      thrown = error;
    }
    for (const destination of destinations.values()) await destination.close();
    return this.#report(thrown);
  }

  async #work(): Promise<void> {
    const { services, plan, request, runId } = this.#state;
    if (!(await this.#hooks("start"))) return;
    await using stack = await services.openUndo({ runId, plan: request.plan });
    await preflightStage(this.#state);
    if (request.part === "all") await this.#capture(stack);
    await verifyStage(this.#state);
    if (plan.copies.length > 0) await copyStage(this.#state);
    await retainStage(this.#state);
    await reportStage(this.#state);
  }

  async #capture(stack: Awaited<ReturnType<RunServices["openUndo"]>>): Promise<void> {
    const freeze = new Freeze(this.#state, stack);
    try {
      // A dry run reads what there is, and touches nothing.
      if (!this.#state.request.dryRun) await freeze.take();
      for (const source of liveSources(this.#state)) {
        if (source.capture === undefined) await captureStage(this.#state, source);
      }
    } finally {
      await freeze.release();
    }
    await this.#captureKit();
  }

  /** What it takes to begin again is part of every plan, also of one whose sources all failed. */
  async #captureKit(): Promise<void> {
    const { services, request } = this.#state;
    const { host, configuration, configurationFiles, catalog } = services;
    const files = await bootstrapKit({
      plan: request.plan,
      host,
      configuration,
      files: configurationFiles,
      catalog,
    });
    const kit = makeSourceRun(KIT_SOURCE, KIT_SETTINGS);
    kit.protected = services.makeKit(files);
    await captureStage(this.#state, kit);
  }

  /** False where a hook says that there is nothing to do now. */
  async #hooks(when: "start" | "end"): Promise<boolean> {
    const { plan, services, recorder, request, runId } = this.#state;
    if (plan.hooks.length === 0 || request.dryRun) return true;
    const { outcome, message } = recorder;
    const outcomes = await runHooks({
      hooks: plan.hooks,
      when: when === "start" ? "start" : hookMomentOf(outcome),
      facts: { plan: request.plan, run: runId, outcome, message: message ?? "" },
      services: services.actions,
      clock: services.clock,
      signal: services.signal,
    });
    let mayGoOn = true;
    for (const done of outcomes) {
      const text = `hook ${done.description}: ${done.message ?? done.outcome}`;
      recorder.log(LEVELS[done.outcome], text);
      if (done.outcome === "skipped" && when === "start") recorder.skip(text);
      else recorder.note(done.outcome, text);
      mayGoOn &&= done.outcome === "ok" || done.outcome === "warning";
    }
    return mayGoOn;
  }

  async #report(thrown: unknown): Promise<RunReport> {
    const { recorder, signal, sources } = this.#state;
    const aborted = signal.aborted;
    if (thrown !== undefined) recorder.note("failed", textOf(aborted ? signal.reason : thrown));
    for (const { name, failure } of sources) {
      if (failure !== undefined) recorder.note("failed", failure, name);
    }
    if (!aborted) await this.#hooks("end");
    const outcome: RunOutcome = recorder.outcome;
    const run = await recorder.end(outcome, recorder.message);
    await this.#audit("run.end", { outcome });
    await this.#notify();
    if (aborted) throw signal.reason;
    return { run, stages: recorder.stages, sources };
  }

  #audit(action: string, details: Readonly<Record<string, string>>): Promise<void> {
    const { recorder, services, request, runId } = this.#state;
    const { catalog, clock, actor } = services;
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

/** Nothing is expected of the kit: it changes with every run. */
const KIT_SETTINGS: SourceSettings = source.parse({
  files: KIT_FOLDER,
  expect: { vanished: "ignore", shrink: { reaction: "ignore" }, surge: { reaction: "ignore" } },
});

function chosenSources(plan: PlanSettings, { only }: RunRequest): SourceRun[] {
  const names = Object.keys(plan.sources);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ComebackError("plan.not-found", `there is no source ${unknown} in this plan`, {
      next: `it has ${names.join(", ")}`,
    });
  }
  return names
    .filter((name) => only?.includes(name) ?? true)
    .map((name) => makeSourceRun(name, plan.sources[name]!));
}

function makeSourceRun(name: string, settings: SourceSettings): SourceRun {
  return {
    name,
    settings,
    protected: undefined,
    view: undefined,
    pinned: undefined,
    atMs: undefined,
    capture: undefined,
    records: [],
    deviations: [],
    outcome: "ok",
    failure: undefined,
  };
}

function hookMomentOf(outcome: RunOutcome): "success" | "warning" | "failure" {
  if (outcome === "failed") return "failure";
  return outcome === "warning" ? "warning" : "success";
}

function noSuchPlan(name: string, known: readonly string[]): ComebackError {
  return new ComebackError("plan.not-found", `there is no plan ${name}`, {
    next: known.length === 0 ? "write one: `comeback setup`" : `there is ${known.join(", ")}`,
  });
}

export function isRunError(error: unknown): boolean {
  return isComebackError(error) && error.code.startsWith("run.");
}
