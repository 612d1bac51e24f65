import {
  type BackupType,
  CLOCK_PLAUSIBLE_MIN_MS,
  type Clock,
  type RunOutcome,
  type RunRecord,
  type RunTrigger,
  SCHEDULE_SLEEP_MAX_MS,
} from "@comeback/core";
import { closeMisses, findRunOf, type MissesCatalog } from "./close-misses.ts";
import type { Lane, LaneJob } from "@comeback/operations";
import { type MarksCatalog, readMarks } from "./schedule-marks.ts";
import {
  type Decision,
  type MissDecision,
  type MissReason,
  ScheduleState,
  type StartDecision,
} from "./schedule-state.ts";

export type SchedulerCatalog = MarksCatalog & MissesCatalog;

/** One thing to be started. */
export interface StartRequest {
  readonly plan: string;
  readonly job: LaneJob;
  /** Of a backup. */
  readonly type?: BackupType | undefined;
  readonly trigger: Exclude<RunTrigger, "manual">;
  readonly scheduledForMs: number;
}

export interface StartedRun {
  /** Resolves when it has ended, whatever came of it; never rejects. */
  readonly ended: Promise<{ readonly outcome: RunOutcome; readonly message?: string }>;
}

/** What people, logs and metrics are told. */
export type SchedulerEvent =
  | {
      readonly kind: "started";
      readonly request: StartRequest;
      /** By the trigger's key: the moments that it answers. */
      readonly answers: readonly {
        readonly trigger: string;
        readonly momentsMs: readonly number[];
      }[];
      /** How long it waited for its turn. */
      readonly waitedMs: number;
    }
  | {
      readonly kind: "ended";
      readonly request: StartRequest;
      readonly outcome: RunOutcome;
      readonly message?: string | undefined;
      /** Absent where the run left no record. */
      readonly runId?: string | undefined;
      /** False where it ended without a word: nobody but the daemon can tell of it. */
      readonly hasReported: boolean;
    }
  | {
      readonly kind: "missed";
      readonly plan: string;
      readonly trigger: string;
      readonly momentsMs: readonly number[];
      /** Moments before these, which are not listed. */
      readonly omitted: number;
      readonly reason: MissReason;
    }
  | { readonly kind: "set-back"; readonly plan: string; readonly trigger: string }
  /** The machine's clock shows a time before this program was made; nothing starts until it is set. */
  | { readonly kind: "clock-not-set"; readonly nowMs: number }
  /** The catalog could not be read or written. The schedule goes on. */
  | { readonly kind: "catalog-failed"; readonly error: unknown };

export interface SchedulerParts {
  readonly clock: Clock;
  readonly catalog: SchedulerCatalog;
  /** Resolves once it runs; rejects where it could not be started. */
  start(request: StartRequest): Promise<StartedRun>;
  report(event: SchedulerEvent): void;
  /** It looks at the clock at least this often; SCHEDULE_SLEEP_MAX_MS if not given. */
  readonly sleepMaxMs?: number;
}

export interface Timings {
  readonly lanes: readonly Lane[];
  readonly parallelRuns: number;
}

/**
 * Starts runs at the moments of their schedules, for as long as `run` is not aborted.
 *
 * A trigger's mark is written when its moment was answered for good: with a miss, or at the end of a
 * backup (of anything else, at its start). If everything is lost in between, the run's own record answers for it; where there is none,
 * nothing had begun, and the moment counts as missed. A catalog that fails stops no run.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #running: Set<Promise<void>> = new Set();
  /** Marks only move on: a long run may end after later moments were answered. */
  readonly #marks: Map<string, number> = new Map();
  #state: ScheduleState | undefined;
  #wake: AbortController = new AbortController();

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Takes up schedules: the first ones, or others in their place. What runs goes on. */
  async load({ lanes, parallelRuns }: Timings, signal: AbortSignal): Promise<void> {
    await this.#untilClockIsSet(signal);
    const marks = new Map<Lane, Map<string, number>>();
    for (const lane of lanes) marks.set(lane, await this.#marksOf(lane));
    // From here on without a pause: what the state before notices now would be noticed twice.
    const before = this.#state;
    const state = new ScheduleState(parallelRuns);
    for (const [lane, noticedUpTo] of marks) {
      for (const { key } of lane.triggers) {
        const noticed = before?.noticedUpTo(lane.id, key);
        if (noticed !== undefined) noticedUpTo.set(key, noticed);
      }
      state.add(lane, noticedUpTo);
    }
    const misses = before === undefined ? [] : state.takeOver(before);
    this.#state = state;
    for (const miss of misses) await this.#recordMiss(miss);
    this.#wake.abort();
  }

  /**
   * Resolves when aborted; what runs then goes on, see `idle`. With `untilIdle` it also resolves
   * once nothing runs that it has started, however much is due later.
   */
  async run(signal: AbortSignal, { untilIdle = false } = {}): Promise<void> {
    const onAbort = (): void => this.#wake.abort();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        this.#wake = new AbortController();
        const decisions = this.#state?.tick(this.#parts.clock.now()) ?? [];
        for (const decision of decisions) await this.#carryOut(decision);
        if (untilIdle && this.#running.size === 0) break;
        await this.#sleep();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** How many runs it has started that have not ended. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Resolves once nothing that it started runs any more, and all of that is recorded. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** When the lane's next start is due. */
  nextStartOf(laneId: string): number | undefined {
    return this.#state?.nextStartOf(laneId);
  }

  async #sleep(): Promise<void> {
    const { clock, sleepMaxMs = SCHEDULE_SLEEP_MAX_MS } = this.#parts;
    const next = this.#state?.nextTickMs ?? Infinity;
    const delayMs = Math.min(Math.max(next - clock.now(), 0), sleepMaxMs);
    const { signal } = this.#wake;
    try {
      await clock.sleep(delayMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #untilClockIsSet(signal: AbortSignal): Promise<void> {
    const { clock, report } = this.#parts;
    let nowMs = clock.now();
    if (nowMs < CLOCK_PLAUSIBLE_MIN_MS) report({ kind: "clock-not-set", nowMs });
    while (nowMs < CLOCK_PLAUSIBLE_MIN_MS) {
      await clock.sleep(SCHEDULE_SLEEP_MAX_MS, signal);
      nowMs = clock.now();
    }
  }

  async #marksOf(lane: Lane): Promise<Map<string, number>> {
    const { catalog, clock } = this.#parts;
    const nowMs = clock.now();
    const marks = new Map(lane.triggers.map(({ key }) => [key, nowMs]));
    await this.#withCatalog(async () => {
      for (const [key, mark] of await readMarks({ lane, catalog, nowMs })) marks.set(key, mark);
    });
    return marks;
  }

  async #carryOut(decision: Decision): Promise<void> {
    const { report } = this.#parts;
    const { lane } = decision;
    switch (decision.kind) {
      case "start":
        return this.#start(decision);
      case "miss":
        return this.#recordMiss(decision);
      case "passed": {
        const { trigger, momentsMs } = decision.moments;
        return this.#withCatalog(() => this.#saveMark(lane.plan, trigger.key, momentsMs.at(-1)!));
      }
      case "set-back": {
        const { key, nowMs } = decision;
        report({ kind: "set-back", plan: lane.plan, trigger: key });
        this.#marks.delete(`${lane.plan} ${key}`);
        return this.#withCatalog(() => this.#saveMark(lane.plan, key, nowMs));
      }
    }
  }

  async #recordMiss({ lane: { plan }, moments, reason }: MissDecision): Promise<void> {
    const { catalog, clock, report } = this.#parts;
    const { momentsMs, omitted } = moments;
    const trigger = moments.trigger.key;
    report({ kind: "missed", plan, trigger, momentsMs, omitted, reason });
    const noticedAtMs = clock.now();
    await this.#withCatalog(async () => {
      for (const scheduledForMs of momentsMs) {
        await catalog.saveMiss({ plan, trigger, scheduledForMs, noticedAtMs, reason });
      }
      await this.#saveMark(plan, trigger, momentsMs.at(-1)!);
    });
  }

  async #start(decision: StartDecision): Promise<void> {
    const { lane, type, trigger, scheduledForMs, answers } = decision;
    const { clock, start, report } = this.#parts;
    const request = { plan: lane.plan, job: lane.job, type, trigger, scheduledForMs };
    try {
      const run = await start(request);
      const dueMs = Math.min(...answers.map(({ startMs }) => startMs));
      report({
        kind: "started",
        request,
        answers: answers.map(({ trigger, momentsMs }) => ({ trigger: trigger.key, momentsMs })),
        waitedMs: Math.max(0, clock.now() - dueMs),
      });
      // Its record does not say which copy it is. If all is lost in the moment before it is made,
      // the next one brings along what this one would have.
      if (lane.job.kind !== "backup") await this.#withCatalog(() => this.#saveMarks(decision));
      const finished = this.#finish(decision, request, run).finally(() => {
        this.#running.delete(finished);
        // Whoever waits until nothing runs waits for this as well.
        this.#wake.abort();
      });
      this.#running.add(finished);
    } catch (error) {
      this.#state?.ended(lane.id);
      const message = error instanceof Error ? error.message : String(error);
      report({ kind: "ended", request, outcome: "failed", message, hasReported: false });
      for (const moments of answers) {
        await this.#recordMiss({ kind: "miss", lane, moments, reason: "start-failed" });
      }
    }
  }

  async #finish(decision: StartDecision, request: StartRequest, run: StartedRun): Promise<void> {
    const { catalog, report } = this.#parts;
    const { lane } = decision;
    const end = await run.ended;
    let { outcome } = end;
    // First of all: others may be waiting for it.
    this.#state?.ended(lane.id);
    this.#wake.abort();
    let record: RunRecord | undefined;
    let isRecordMissing = false;
    await this.#withCatalog(async () => {
      await this.#saveMarks(decision);
      record = await findRunOf(catalog, decision);
      isRecordMissing = record === undefined && lane.job.kind !== "digest";
      // What the run says of itself knows more than its exit code.
      outcome = record?.outcome ?? outcome;
      if (record !== undefined && isGood(outcome)) await closeMisses(catalog, decision, record);
    });
    const hasReported = record?.outcome !== undefined;
    report({
      kind: "ended",
      request,
      outcome,
      message: end.message,
      runId: record?.id,
      hasReported,
    });
    if (!isRecordMissing || isGood(outcome)) return;
    // It ended before it had begun: another run of the plan was under way, say.
    for (const moments of decision.answers) {
      await this.#recordMiss({ kind: "miss", lane, moments, reason: "start-failed" });
    }
  }

  async #saveMarks({ lane, answers }: StartDecision): Promise<void> {
    for (const { trigger, momentsMs } of answers) {
      await this.#saveMark(lane.plan, trigger.key, momentsMs.at(-1)!);
    }
  }

  async #saveMark(plan: string, key: string, atMs: number): Promise<void> {
    const name = `${plan} ${key}`;
    if (atMs <= (this.#marks.get(name) ?? -Infinity)) return;
    this.#marks.set(name, atMs);
    await this.#parts.catalog.saveScheduleMark(plan, key, atMs);
  }

  async #withCatalog(use: () => Promise<void>): Promise<void> {
    try {
      await use();
    } catch (error) {
      this.#parts.report({ kind: "catalog-failed", error });
    }
  }
}

function isGood(outcome: RunOutcome): boolean {
  return outcome === "ok" || outcome === "warning";
}
