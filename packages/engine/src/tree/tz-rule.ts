/**
 * The POSIX rule at the end of a zone file ("CET-1CEST,M3.5.0,M10.5.0/3"), which holds for all
 * times behind its last transition. Read as Go's time package reads it, because the offset becomes
 * part of a tree's bytes.
 */
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;

type DayRule =
  /** Day of the year from 1, February 29 not counted. */
  | { readonly kind: "julian"; readonly day: number; readonly timeSeconds: number }
  /** Day of the year from 0. */
  | { readonly kind: "day"; readonly day: number; readonly timeSeconds: number }
  | {
      readonly kind: "weekday";
      readonly month: number;
      /** 1 to 5; 5 is the last one. */
      readonly week: number;
      readonly day: number;
      readonly timeSeconds: number;
    };

export type ZoneRule = {
  readonly standardSeconds: number;
  readonly daylight?: { readonly seconds: number; readonly start: DayRule; readonly end: DayRule };
};

/** An offset and the instants, in Unix seconds, between which it is known to hold. */
export type OffsetSpan = {
  readonly offsetSeconds: number;
  readonly from: number;
  readonly until: number;
};

const OFFSET = String.raw`[+-]?\d{1,3}(?::\d{1,2}){0,2}`;
const NAME = String.raw`(?:[A-Za-z]{3,}|<[^>]+>)`;
const DAY = String.raw`(?:M\d{1,2}\.\d\.\d|J\d{1,3}|\d{1,3})(?:/${OFFSET})?`;
const RULE = new RegExp(`^${NAME}(${OFFSET})(?:${NAME}(${OFFSET})?(?:[,;](${DAY}),(${DAY}))?)?$`);
const HAS_DAYLIGHT = new RegExp(`^${NAME}${OFFSET}${NAME}`);

function offsetFrom(text: string): number {
  const [hours, minutes = "0", seconds = "0"] = text.replace(/^[+-]/, "").split(":");
  const total = Number(hours) * HOUR_SECONDS + Number(minutes) * 60 + Number(seconds);
  return text.startsWith("-") ? 0 - total : total;
}

function dayRule(text: string): DayRule {
  const [date = "", time] = text.split("/");
  const timeSeconds = time === undefined ? 2 * HOUR_SECONDS : offsetFrom(time);
  if (date.startsWith("J")) return { kind: "julian", day: Number(date.slice(1)), timeSeconds };
  if (!date.startsWith("M")) return { kind: "day", day: Number(date), timeSeconds };
  const [month = 1, week = 1, day = 0] = date.slice(1).split(".").map(Number);
  return { kind: "weekday", month, week, day, timeSeconds };
}

/** The rule in `text`; undefined where there is none, or none that makes sense. */
export function parseZoneRule(text: string): ZoneRule | undefined {
  const match = RULE.exec(text);
  if (match === null) return undefined;
  const [, standard = "0", daylight, start = "M3.2.0", end = "M11.1.0"] = match;
  // POSIX counts offsets westwards.
  const standardSeconds = 0 - offsetFrom(standard);
  if (!HAS_DAYLIGHT.test(text)) return { standardSeconds };
  const seconds =
    daylight === undefined ? standardSeconds + HOUR_SECONDS : 0 - offsetFrom(daylight);
  return { standardSeconds, daylight: { seconds, start: dayRule(start), end: dayRule(end) } };
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Seconds of the year, in UTC, at which the rule's switch happens. */
function switchSecond(rule: DayRule, year: number, offsetSeconds: number): number {
  let day: number;
  if (rule.kind === "weekday") {
    // The calendar repeats every 400 years, so any year is computed as one that Date knows well.
    const alike = 2000 + (((year % 400) + 400) % 400);
    const monthStart = Date.UTC(alike, rule.month - 1, 1);
    const first = (7 + rule.day - new Date(monthStart).getUTCDay()) % 7;
    const monthDays = new Date(Date.UTC(alike, rule.month, 0)).getUTCDate();
    let dayOfMonth = first + (rule.week - 1) * 7;
    while (dayOfMonth >= monthDays) dayOfMonth -= 7;
    const sinceYearStart = monthStart - Date.UTC(alike, 0, 1);
    day = sinceYearStart / 86_400_000 + dayOfMonth;
  } else if (rule.kind === "julian") {
    day = rule.day - 1 + (isLeapYear(year) && rule.day >= 60 ? 1 : 0);
  } else {
    day = rule.day;
  }
  return day * DAY_SECONDS + rule.timeSeconds - offsetSeconds;
}

/** The offset at an instant, given in Unix seconds with the year (UTC) it lies in. */
export function offsetByRule(
  rule: ZoneRule,
  year: number,
  yearStartSeconds: number,
  seconds: number,
): OffsetSpan {
  const { standardSeconds, daylight } = rule;
  if (daylight === undefined) {
    return { offsetSeconds: standardSeconds, from: -Infinity, until: Infinity };
  }
  let first = yearStartSeconds + switchSecond(daylight.start, year, standardSeconds);
  let second = yearStartSeconds + switchSecond(daylight.end, year, daylight.seconds);
  let inside = daylight.seconds;
  let outside = standardSeconds;
  if (second < first) {
    [first, second] = [second, first];
    [inside, outside] = [outside, inside];
  }
  const yearEnd = yearStartSeconds + (isLeapYear(year) ? 366 : 365) * DAY_SECONDS;
  if (seconds < first) return { offsetSeconds: outside, from: yearStartSeconds, until: first };
  if (seconds >= second) return { offsetSeconds: outside, from: second, until: yearEnd };
  return { offsetSeconds: inside, from: first, until: second };
}
