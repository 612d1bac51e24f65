import { scheduleInvalid } from "./schedule-error.ts";
import { MINUTES_PER_DAY, type WallDay } from "./trigger.ts";
import { wallDayAt, wallMoments } from "./wall-clock.ts";

const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/** The Unix epoch was a Thursday. */
const EPOCH_WEEKDAY = 4;
const DAYS_PER_WEEK = 7;
/** Those around the moment that is asked for. */
const DAYS_REMEMBERED_MAX = 4;
const FORMS = '"22:00-06:00" or "mon-fri 08:00-18:00"';

interface QuietWindow {
  /** Those of the days on which it begins, Sunday being 0. */
  readonly weekdays: ReadonlySet<number>;
  readonly fromMinute: number;
  /** More than a day where it goes over midnight. */
  readonly toMinute: number;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Windows of time in a zone in which nothing starts. Where the clocks change inside one, it is the
 * longer rather than the shorter for it.
 */
export class QuietWindows {
  readonly #windows: readonly QuietWindow[];
  readonly #zone: string;
  readonly #days: Map<WallDay, readonly Span[]> = new Map();

  /** Throws `schedule.invalid`, also where the windows together never end. */
  constructor(windows: readonly string[], zone: string) {
    this.#windows = windows.map(parseWindow);
    this.#zone = zone;
    if (this.#windows.length > 0 && coverWholeWeek(this.#windows)) {
      const why = "together, the windows leave no moment at which anything could start";
      throw scheduleInvalid({ text: windows.join(", "), why, forms: FORMS });
    }
  }

  /** The moment itself, or where it lies in a window, the first one behind it. */
  firstOpen(ms: number): number {
    let moment = ms;
    for (;;) {
      const end = this.#endOfWindowAt(moment);
      if (end === undefined) return moment;
      moment = end;
    }
  }

  #endOfWindowAt(ms: number): number | undefined {
    if (this.#windows.length === 0) return undefined;
    const today = wallDayAt(ms, this.#zone);
    const around = [...this.#spansOf(today - 1), ...this.#spansOf(today)];
    return around.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs)?.toMs;
  }

  /** The windows that begin on a day. */
  #spansOf(day: WallDay): readonly Span[] {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const spans = this.#windows
      .filter(({ weekdays }) => weekdays.has(weekdayOf(day)))
      .map(({ fromMinute, toMinute }) => ({
        fromMs: this.#momentOf(day, fromMinute, "first"),
        toMs: this.#momentOf(day, toMinute, "last"),
      }));
    if (this.#days.size >= DAYS_REMEMBERED_MAX) this.#days.delete(this.#days.keys().next().value!);
    this.#days.set(day, spans);
    return spans;
  }

  #momentOf(day: WallDay, minute: number, which: "first" | "last"): number {
    const days = Math.floor(minute / MINUTES_PER_DAY);
    const shown = wallMoments(day + days, minute % MINUTES_PER_DAY, this.#zone);
    if (shown.kind === "once") return shown.atMs;
    if (shown.kind === "never") return shown.afterGapMs;
    return which === "first" ? shown.firstMs : shown.secondMs;
  }
}

function weekdayOf(day: WallDay): number {
  return (((day + EPOCH_WEEKDAY) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK;
}

function parseWindow(given: string): QuietWindow {
  const text = given.trim().toLowerCase();
  const match = /^(?:([a-z,-]+)\s+)?(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)$/.exec(text);
  if (match === null) throw invalid(given, "it is not a window of time");
  const [, days, ...numbers] = match;
  const [fromHour = 0, fromMinutes = 0, toHour = 0, toMinutes = 0] = numbers.map(Number);
  const fromMinute = fromHour * 60 + fromMinutes;
  const toMinute = toHour * 60 + toMinutes;
  if (fromMinute >= MINUTES_PER_DAY || toMinute > MINUTES_PER_DAY) {
    throw invalid(given, "a day has no such time");
  }
  if (fromMinute === toMinute) {
    throw invalid(given, "it begins and ends at the same time; all day is 00:00-24:00");
  }
  return {
    weekdays: days === undefined ? new Set(WEEKDAYS.keys()) : parseDays(days, given),
    fromMinute,
    toMinute: toMinute > fromMinute ? toMinute : toMinute + MINUTES_PER_DAY,
  };
}

function parseDays(days: string, given: string): Set<number> {
  const found = new Set<number>();
  for (const range of days.split(",")) {
    const ends = range.split("-").map((day) => WEEKDAYS.indexOf(day));
    if (ends.includes(-1) || ends.length > 2) {
      throw invalid(given, `"${range}" is not one of ${WEEKDAYS.join(", ")}, nor from one to one`);
    }
    const [first = 0, last = first] = ends;
    for (let day = first; ; day = (day + 1) % DAYS_PER_WEEK) {
      found.add(day);
      if (day === last) break;
    }
  }
  return found;
}

function coverWholeWeek(windows: readonly QuietWindow[]): boolean {
  const weekMinutes = DAYS_PER_WEEK * MINUTES_PER_DAY;
  const isQuiet = new Uint8Array(weekMinutes);
  for (const { weekdays, fromMinute, toMinute } of windows) {
    for (const day of weekdays) {
      for (let minute = fromMinute; minute < toMinute; minute++) {
        isQuiet[(day * MINUTES_PER_DAY + minute) % weekMinutes] = 1;
      }
    }
  }
  return isQuiet.every((quiet) => quiet === 1);
}

function invalid(text: string, why: string): Error {
  return scheduleInvalid({ text, why, forms: FORMS });
}
