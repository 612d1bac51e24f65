import { cronDays, parseCronLine } from "./cron-line.ts";
import { nearestWord } from "./nearest-word.ts";
import { scheduleInvalid } from "./schedule-error.ts";
import type { Trigger } from "./trigger.ts";

const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** The words behind the first, and the text as a whole, for errors. */
interface Given {
  readonly text: string;
  readonly rest: readonly string[];
}

const PRESETS: Readonly<Record<string, (given: Given) => Trigger>> = {
  hourly: parseHourly,
  daily: (given) => parseOnDays(given, "daily 02:00", 0, () => "* * *"),
  weekly: (given) => parseOnDays(given, "weekly sun 03:00", 1, weekdayFields),
  monthly: (given) => parseOnDays(given, "monthly 1 03:00", 1, monthDayFields),
  yearly: (given) => parseOnDays(given, "yearly 1-31 03:00", 1, yearDayFields),
};

/**
 * Reads a trigger as the configuration has it: "hourly", "hourly :15", "daily 02:00,14:00",
 * "weekly sun 03:00", "monthly last 03:00", "yearly 1-31 03:00", or a cron line of five fields.
 * Throws `schedule.invalid`.
 */
export function parseTrigger(given: string): Trigger {
  const text = given.trim().replaceAll(/\s+/g, " ").replaceAll(", ", ",");
  const [first = "", ...rest] = text.split(" ");
  const preset = PRESETS[first.toLowerCase()];
  if (preset !== undefined) return preset({ text, rest });
  if (/^[\d*]/.test(first) && !/^\d+:\d+/.test(first)) return parseCronLine(text);
  throw unknownWord(text, first, rest);
}

function unknownWord(text: string, first: string, rest: readonly string[]): Error {
  if (text === "") return scheduleInvalid({ text, why: "nothing is written there" });
  if (/^\d+:\d+/.test(first)) {
    const why = "a time alone does not say on which days";
    return scheduleInvalid({ text, why, meant: `daily ${text}` });
  }
  const word = nearestWord(first.replace(/^@/, ""), Object.keys(PRESETS));
  // "@daily", as some crons have it, is at midnight.
  const withTime = first.startsWith("@") && word === "daily" ? ["00:00"] : rest;
  const meant = word === undefined ? undefined : [word, ...withTime].join(" ");
  return scheduleInvalid({ text, why: `it begins with "${first}", which is not known`, meant });
}

function parseHourly({ text, rest }: Given): Trigger {
  const [minutes = ":00", ...more] = rest;
  const parts = minutes.split(",").map((part) => /^:?([0-5]\d)$/.exec(part)?.[1]);
  if (more.length > 0 || parts.includes(undefined)) {
    const why = `"${rest.join(" ")}" is not a minute of the hour`;
    throw scheduleInvalid({ text, why, forms: '"hourly", "hourly :15" or "hourly :00,:30"' });
  }
  const minutesOfDay = HOURS.flatMap((hour) => parts.map((part) => hour * 60 + Number(part)));
  return {
    text,
    minutesOfDay: ascending(minutesOfDay),
    isEveryHour: true,
    days: cronDays("* * *"),
  };
}

/** A preset of so many words for its days, and times behind them. */
function parseOnDays(
  { text, rest }: Given,
  example: string,
  dayWords: number,
  fieldsOf: (word: string, fail: (why: string, meant?: string) => Error) => string,
): Trigger {
  const forms = `"${example}"`;
  const fail = (why: string, meant?: string): Error => {
    return scheduleInvalid({ text, why, meant, forms });
  };
  const [days, times] = dayWords === 0 ? ["", rest[0]] : rest;
  if (times === undefined || days === undefined) {
    // "weekly 03:00": the day is what is missing, and not a time.
    const isDayMissing = dayWords === 1 && (days === undefined || /^\d+:/.test(days));
    throw fail(isDayMissing ? "the day is missing" : "the time of day is missing", example);
  }
  const extra = rest.slice(dayWords + 1);
  if (extra.length > 0) throw fail(`"${extra.join(" ")}" is more than was expected`);
  const fields = fieldsOf(days, fail);
  const minutesOfDay = ascending(times.split(",").map((time) => minuteOfDay(time, fail)));
  return { text, minutesOfDay, isEveryHour: false, days: cronDays(fields) };
}

function minuteOfDay(time: string, fail: (why: string) => Error): number {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  if (hours === undefined) throw fail(`"${time}" is not a time of day such as 02:30`);
  return Number(hours) * 60 + Number(minutes);
}

function weekdayFields(word: string, fail: (why: string, meant?: string) => Error): string {
  for (const day of word.toLowerCase().split(/[,-]/)) {
    if (WEEKDAYS.some((known) => known === day)) continue;
    const near = WEEKDAYS.find((known) => day.startsWith(known)) ?? nearestWord(day, WEEKDAYS);
    throw fail(`"${day}" is not one of ${WEEKDAYS.join(", ")}`, near && `weekly ${near} …`);
  }
  return `* * ${weekdayNumbers(word.toLowerCase()).join(",")}`;
}

/** "fri-mon" goes over the end of the week. */
function weekdayNumbers(word: string): number[] {
  return word.split(",").flatMap((range) => {
    const ends = range.split("-").map((day) => WEEKDAYS.findIndex((known) => known === day));
    const first = ends[0]!;
    const length = ((ends.at(-1)! - first + 7) % 7) + 1;
    return Array.from({ length }, (_, offset) => (first + offset) % 7);
  });
}

function monthDayFields(word: string, fail: (why: string) => Error): string {
  const days = word.toLowerCase().split(",");
  for (const day of days) {
    const isDay = /^\d{1,2}$/.test(day) && Number(day) >= 1 && Number(day) <= 31;
    if (!isDay && day !== "last") throw fail(`"${day}" is not a day of the month, 1 to 31 or last`);
  }
  return `${days.map((day) => (day === "last" ? "L" : Number(day))).join(",")} * *`;
}

function yearDayFields(word: string, fail: (why: string, meant?: string) => Error): string {
  const [, month, day] = /^(\d{1,2})-(\d{1,2})$/.exec(word) ?? [];
  const length = MONTH_DAYS[Number(month) - 1];
  if (length === undefined || Number(day) < 1 || Number(day) > length) {
    throw fail(`"${word}" is not the month and the day, as 1-31 is for January 31`);
  }
  return `${Number(day)} ${Number(month)} *`;
}

function ascending(minutes: readonly number[]): number[] {
  return [...new Set(minutes)].toSorted((a, b) => a - b);
}
