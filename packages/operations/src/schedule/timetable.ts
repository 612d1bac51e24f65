import { parseTrigger } from "./parse-trigger.ts";
import { DAY_MS, type Trigger, type WallDay } from "./trigger.ts";
import { steadyOffsetMs, wallDayAt, type WallMoments, wallMoments } from "./wall-clock.ts";

const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;
const HOUR_MS: number = HOUR_MINUTES * MINUTE_MS;
/** February 29 may be eight years away, around a year such as 2100. */
const AHEAD_MAX_DAYS: number = 9 * 366;
/** Days whose moments are remembered: those around the one that is asked for. */
const DAYS_REMEMBERED_MAX = 4;

/**
 * The moments of a trigger in a time zone.
 *
 * Where clocks are set forward, a time that does not exist happens once, at the first moment behind
 * the gap (several such times together once). Where they are set back, a time that exists twice
 * happens once, at the first. What happens every hour happens every hour that really passes: at no
 * change of the clocks is there more than the usual time between two moments.
 */
export class Timetable {
  readonly trigger: Trigger;
  readonly zone: string;
  readonly #days: Map<WallDay, readonly number[]> = new Map();

  constructor(trigger: Trigger | string, zone: string) {
    this.trigger = typeof trigger === "string" ? parseTrigger(trigger) : trigger;
    this.zone = zone;
  }

  /** The first moment later than `afterMs`; `undefined` where none comes for years. */
  nextAfter(afterMs: number): number | undefined {
    // The clocks of a day may show the end of the day before once more, or leave a day out.
    const start = wallDayAt(afterMs, this.zone) - 1;
    let found: number | undefined;
    let day = this.trigger.days.next(start);
    while (day !== undefined && day <= start + AHEAD_MAX_DAYS) {
      const isFar = found !== undefined && day > wallDayAt(found, this.zone) + 1;
      if (isFar) break;
      const first = this.#momentsOf(day).find((moment) => moment > afterMs);
      if (first !== undefined && (found === undefined || first < found)) found = first;
      day = this.trigger.days.next(day + 1);
    }
    return found;
  }

  /** All moments later than `fromMs` and not later than `toMs`, in ascending order. */
  *occurrences(fromMs: number, toMs: number): Generator<number> {
    let moment = this.nextAfter(fromMs);
    while (moment !== undefined && moment <= toMs) {
      yield moment;
      moment = this.nextAfter(moment);
    }
  }

  #momentsOf(day: WallDay): readonly number[] {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const moments = this.#computeMoments(day);
    if (this.#days.size >= DAYS_REMEMBERED_MAX) this.#days.delete(this.#days.keys().next().value!);
    this.#days.set(day, moments);
    return moments;
  }

  #computeMoments(day: WallDay): number[] {
    const { minutesOfDay, isEveryHour } = this.trigger;
    const offsetMs = steadyOffsetMs(day, this.zone);
    if (offsetMs !== undefined) {
      return minutesOfDay.map((minute) => day * DAY_MS + minute * MINUTE_MS - offsetMs);
    }
    const moments = isEveryHour
      ? minutesOfDay
          .filter((minute) => minute < HOUR_MINUTES)
          .flatMap((minute) => this.#hourly(day, minute))
      : minutesOfDay.map((minute) => firstOf(wallMoments(day, minute, this.zone)));
    return [...new Set(moments)].toSorted((a, b) => a - b);
  }

  /** One minute of every hour of a day on which the clocks change, without a longer pause. */
  #hourly(day: WallDay, minuteOfHour: number): number[] {
    const shownAt = (day: WallDay, hour: number): number[] =>
      allOf(wallMoments(day, hour * HOUR_MINUTES + minuteOfHour, this.zone));
    const shown = Array.from({ length: 24 }, (_, hour) => shownAt(day, hour)).flat();
    const moments: number[] = [];
    let last = shownAt(day - 1, 23).at(-1);
    for (const moment of shown.toSorted((a, b) => a - b)) {
      // Set by half an hour, the clocks come to that minute half an hour late, or never.
      if (last !== undefined && moment > last + HOUR_MS) moments.push(last + HOUR_MS);
      moments.push(moment);
      last = moment;
    }
    return moments;
  }
}

/** When a time of day happens that happens once a day. */
function firstOf(shown: WallMoments): number {
  if (shown.kind === "once") return shown.atMs;
  return shown.kind === "twice" ? shown.firstMs : shown.afterGapMs;
}

/** Every moment at which the clocks show it. */
function allOf(shown: WallMoments): number[] {
  if (shown.kind === "never") return [];
  return shown.kind === "once" ? [shown.atMs] : [shown.firstMs, shown.secondMs];
}

/** The first moment of a trigger in a zone that is later than `afterMs`. */
export function nextAfter(trigger: Trigger, zone: string, afterMs: number): number | undefined {
  return new Timetable(trigger, zone).nextAfter(afterMs);
}

/** Hands the same timetable to all who have the same trigger in the same zone. */
export class Timetables {
  readonly #known: Map<string, Timetable> = new Map();

  of(trigger: string, zone: string): Timetable {
    const key = `${zone} ${trigger}`;
    const known = this.#known.get(key) ?? new Timetable(trigger, zone);
    this.#known.set(key, known);
    return known;
  }
}
