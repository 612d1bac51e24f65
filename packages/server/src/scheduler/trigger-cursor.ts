import { SCHEDULE_MISSES_RECORDED_MAX, SCHEDULE_SET_BACK_MAX_MS } from "@comeback/core";
import { type Lane, type LaneTrigger, startOf } from "@comeback/operations";

/** Moments of one trigger that have the same start: several where a quiet window put them off. */
export interface DueMoments {
  readonly trigger: LaneTrigger;
  /** In ascending order; never empty. */
  readonly momentsMs: readonly number[];
  /** When it was to start. */
  readonly startMs: number;
  /** Older moments that are counted instead of listed. */
  readonly omitted: number;
}

/** How far one trigger has come: which of its moments were noticed, and which is next. */
export class TriggerCursor {
  readonly trigger: LaneTrigger;
  readonly #lane: Lane;
  #noticedUpToMs: number;
  #next: { readonly momentMs: number; readonly startMs: number } | undefined;

  constructor(lane: Lane, trigger: LaneTrigger, noticedUpToMs: number) {
    this.#lane = lane;
    this.trigger = trigger;
    this.#noticedUpToMs = noticedUpToMs;
    this.#next = this.#after(noticedUpToMs);
  }

  get noticedUpToMs(): number {
    return this.#noticedUpToMs;
  }

  /** When the next of its moments is to start. */
  get nextStartMs(): number | undefined {
    return this.#next?.startMs;
  }

  /** The clock was far ahead and is not any more: what it had noticed was not real. */
  wasSetBack(nowMs: number): boolean {
    if (this.#noticedUpToMs <= nowMs + SCHEDULE_SET_BACK_MAX_MS) return false;
    this.#noticedUpToMs = nowMs;
    this.#next = this.#after(nowMs);
    return true;
  }

  /** All whose start has come and that were not taken before, in ascending order of their starts. */
  takeDue(nowMs: number): DueMoments[] {
    const groups: { momentsMs: number[]; startMs: number }[] = [];
    let kept = 0;
    let omitted = 0;
    while (this.#next !== undefined && this.#next.startMs <= nowMs) {
      const { momentMs, startMs } = this.#next;
      const last = groups.at(-1);
      if (last?.startMs === startMs) last.momentsMs.push(momentMs);
      else groups.push({ momentsMs: [momentMs], startMs });
      if (++kept > SCHEDULE_MISSES_RECORDED_MAX && groups.length > 1) {
        const dropped = groups.shift()!.momentsMs.length;
        kept -= dropped;
        omitted += dropped;
      }
      this.#noticedUpToMs = momentMs;
      this.#next = this.#after(momentMs);
    }
    return groups.map((group, index) => ({
      trigger: this.trigger,
      ...group,
      omitted: index === 0 ? omitted : 0,
    }));
  }

  #after(ms: number): { momentMs: number; startMs: number } | undefined {
    const momentMs = this.trigger.timetable.nextAfter(ms);
    if (momentMs === undefined) return undefined;
    return { momentMs, startMs: startOf(this.#lane, momentMs) };
  }
}
