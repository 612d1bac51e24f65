import { type BackupType, type RunTrigger, SCHEDULE_LATE_MAX_MS } from "@comeback/core";
import { compareStrength, type Lane, strongestOf } from "@comeback/operations";
import { type DueMoments, TriggerCursor } from "./trigger-cursor.ts";

/**
 * Why nothing was started at a moment:
 * - `down`: nothing ran that could have started it, or the machine slept, or its clock was set on;
 * - `late`: it came up together with a later one;
 * - `overrun`: the run before it was not finished;
 * - `blocked`: it waited for its turn until the next moment of its trigger came;
 * - `start-failed`: its run could not be started;
 * - `reconfigured`: it waited for its turn when the configuration took it out.
 */
export const MISS_REASONS = [
  "down",
  "late",
  "overrun",
  "blocked",
  "start-failed",
  "reconfigured",
] as const;
export type MissReason = (typeof MISS_REASONS)[number];

export interface StartDecision {
  readonly kind: "start";
  readonly lane: Lane;
  readonly type: BackupType | undefined;
  readonly trigger: Exclude<RunTrigger, "manual">;
  /** The newest moment that it answers. */
  readonly scheduledForMs: number;
  /** All that it answers. */
  readonly answers: readonly DueMoments[];
}

export interface MissDecision {
  readonly kind: "miss";
  readonly lane: Lane;
  readonly moments: DueMoments;
  readonly reason: MissReason;
}

export type Decision =
  | StartDecision
  | MissDecision
  /** The clock went back by so much that a trigger begins anew. */
  | { readonly kind: "set-back"; readonly lane: Lane; readonly key: string; readonly nowMs: number }
  /** A moment of a plan that is not enabled went by. */
  | { readonly kind: "passed"; readonly lane: Lane; readonly moments: DueMoments };

interface LaneState {
  readonly lane: Lane;
  readonly cursors: readonly TriggerCursor[];
  /** What waits for its turn, by the trigger's key. */
  readonly waiting: Map<string, DueMoments & { readonly isLate: boolean }>;
  running: { readonly type: BackupType | undefined } | undefined;
}

/**
 * Decides what starts when. It does nothing itself, and knows the time only as it is told.
 *
 * Every moment of every trigger comes to exactly one end: it is among the answers of one start, or
 * in one miss.
 */
export class ScheduleState {
  readonly #parallelRuns: number;
  readonly #lanes: Map<string, LaneState> = new Map();
  /** When what waits only for the end of a quiet window may start. */
  #quietUntilMs: number = Infinity;

  constructor(parallelRuns: number) {
    this.#parallelRuns = parallelRuns;
  }

  /** Takes up a lane. `noticedUpTo` says for each trigger's key which moments are answered. */
  add(lane: Lane, noticedUpTo: ReadonlyMap<string, number>): void {
    const cursors = lane.triggers.map(
      (trigger) => new TriggerCursor(lane, trigger, noticedUpTo.get(trigger.key)!),
    );
    this.#lanes.set(lane.id, { lane, cursors, waiting: new Map(), running: undefined });
  }

  /**
   * Takes over from the state before a reload what runs, what waits and what was noticed. Gives the
   * misses of what waited and has no place any more.
   */
  takeOver(before: ScheduleState): MissDecision[] {
    const misses: MissDecision[] = [];
    for (const old of before.#lanes.values()) {
      const state = this.#lanes.get(old.lane.id);
      const keys = new Set(state?.lane.triggers.map(({ key }) => key));
      for (const [key, moments] of old.waiting) {
        if (state?.lane.isEnabled === true && keys.has(key)) state.waiting.set(key, moments);
        else misses.push({ kind: "miss", lane: old.lane, moments, reason: "reconfigured" });
      }
      if (old.running === undefined) continue;
      if (state !== undefined) state.running = old.running;
      // What still runs keeps its repositories, although it will not be started again.
      else this.#lanes.set(old.lane.id, { ...old, cursors: [], waiting: new Map() });
    }
    return misses;
  }

  /** How far a trigger has been noticed; `undefined` where there is no such one. */
  noticedUpTo(laneId: string, key: string): number | undefined {
    const cursors = this.#lanes.get(laneId)?.cursors;
    return cursors?.find(({ trigger }) => trigger.key === key)?.noticedUpToMs;
  }

  /** Everything that is to be done at this moment: misses first, then starts. */
  tick(nowMs: number): Decision[] {
    const decisions: Decision[] = [];
    for (const state of this.#lanes.values()) this.#notice(state, nowMs, decisions);
    this.#startWaiting(nowMs, decisions);
    return decisions;
  }

  /** When there is next something to decide, if no run ends before. */
  get nextTickMs(): number | undefined {
    let next = this.#quietUntilMs;
    for (const { cursors } of this.#lanes.values()) {
      for (const { nextStartMs } of cursors)
        if (nextStartMs !== undefined) next = Math.min(next, nextStartMs);
    }
    return next === Infinity ? undefined : next;
  }

  /** When the plan's next backup is to start. */
  nextStartOf(laneId: string): number | undefined {
    const state = this.#lanes.get(laneId);
    if (state === undefined || !state.lane.isEnabled) return undefined;
    const starts = state.cursors.map(({ nextStartMs }) => nextStartMs ?? Infinity);
    const waiting = [...state.waiting.values()].map(({ startMs }) => startMs);
    const next = Math.min(...starts, ...waiting);
    return next === Infinity ? undefined : next;
  }

  /** The run that was started in a lane has ended, or could not be started. */
  ended(laneId: string): void {
    const state = this.#lanes.get(laneId);
    if (state === undefined) return;
    state.running = undefined;
    if (state.cursors.length === 0) this.#lanes.delete(laneId);
  }

  #notice(state: LaneState, nowMs: number, decisions: Decision[]): void {
    const { lane, cursors } = state;
    const due: (DueMoments & { readonly isLate: boolean })[] = [];
    for (const cursor of cursors) {
      if (cursor.wasSetBack(nowMs)) {
        state.waiting.delete(cursor.trigger.key);
        decisions.push({ kind: "set-back", lane, key: cursor.trigger.key, nowMs });
      }
      const start = cursor.nextStartMs;
      if (start === undefined || start > nowMs) continue;
      const groups = cursor.takeDue(nowMs);
      const newest = groups.pop()!;
      if (!lane.isEnabled) {
        decisions.push({ kind: "passed", lane, moments: newest });
        continue;
      }
      const isLate = (moments: DueMoments): boolean =>
        nowMs - moments.startMs > SCHEDULE_LATE_MAX_MS;
      for (const moments of groups) {
        const reason = isLate(moments) ? "down" : "late";
        decisions.push({ kind: "miss", lane, moments, reason });
      }
      if (isLate(newest) && !lane.catchUp) {
        decisions.push({ kind: "miss", lane, moments: newest, reason: "down" });
      } else {
        due.push({ ...newest, isLate: isLate(newest) });
      }
    }
    if (due.length > 0) this.#offer(state, due, decisions);
  }

  #offer(
    state: LaneState,
    due: readonly (DueMoments & { readonly isLate: boolean })[],
    decisions: Decision[],
  ): void {
    const { lane, running, waiting } = state;
    // A monthly full must not be lost to an hourly incremental that takes long: it waits for it.
    const isWaitingFor =
      running === undefined ||
      waiting.size > 0 ||
      due.some(({ trigger }) => compareStrength(trigger.type, running.type) > 0);
    for (const moments of due) {
      if (!isWaitingFor) {
        decisions.push({ kind: "miss", lane, moments, reason: "overrun" });
        continue;
      }
      const { key } = moments.trigger;
      const older = waiting.get(key);
      if (older !== undefined) {
        decisions.push({ kind: "miss", lane, moments: older, reason: "blocked" });
      }
      waiting.set(key, moments);
    }
  }

  #startWaiting(nowMs: number, decisions: Decision[]): void {
    this.#quietUntilMs = Infinity;
    const runs = [...this.#lanes.values()].filter(
      ({ running, lane }) => running !== undefined && lane.job.kind !== "digest",
    );
    const busyPlans = new Set(runs.map(({ lane }) => lane.plan));
    const busyRepositories = new Set(runs.flatMap(({ lane }) => lane.repositories));
    let running = runs.length;
    for (const state of this.#inTurn()) {
      const { lane } = state;
      const openMs = lane.quiet.firstOpen(nowMs);
      if (openMs > nowMs) {
        this.#quietUntilMs = Math.min(this.#quietUntilMs, openMs);
        continue;
      }
      if (lane.job.kind !== "digest") {
        if (running >= this.#parallelRuns || busyPlans.has(lane.plan)) continue;
        if (lane.repositories.some((repository) => busyRepositories.has(repository))) continue;
        running++;
        busyPlans.add(lane.plan);
        for (const repository of lane.repositories) busyRepositories.add(repository);
      }
      decisions.push(start(state));
    }
  }

  /** Whoever has waited longest comes first. */
  #inTurn(): LaneState[] {
    const since = ({ waiting }: LaneState): number =>
      Math.min(...[...waiting.values()].map(({ startMs }) => startMs));
    return [...this.#lanes.values()]
      .filter(({ waiting, running }) => waiting.size > 0 && running === undefined)
      .map((state) => ({ state, sinceMs: since(state) }))
      .toSorted((a, b) => a.sinceMs - b.sinceMs || (a.state.lane.id < b.state.lane.id ? -1 : 1))
      .map(({ state }) => state);
  }
}

function start(state: LaneState): StartDecision {
  const answers = [...state.waiting.values()];
  const type = strongestOf(answers.map(({ trigger }) => trigger.type));
  const decisive = answers.filter(({ trigger }) => trigger.type === type);
  state.waiting.clear();
  state.running = { type };
  return {
    kind: "start",
    lane: state.lane,
    type,
    trigger: decisive.every(({ isLate }) => isLate) ? "catch-up" : "schedule",
    scheduledForMs: Math.max(...answers.map(({ momentsMs }) => momentsMs.at(-1)!)),
    answers,
  };
}
