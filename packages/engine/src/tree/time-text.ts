import { damaged, type Instant } from "@comeback/core";
import { civilFromDays, daysFromCivil } from "./civil.ts";
import { localTimeZone, type TimeZone } from "./time-zone.ts";

/**
 * Times in trees and snapshots: Go's RFC3339Nano, in the writer's zone, zeros at the end cut.
 */
const DAY_SECONDS = 86_400;
const YEAR_MAX = 9999;

const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, i) =>
  String(i).padStart(2, "0"),
);

function fractionText(nanoseconds: number): string {
  if (nanoseconds === 0) return "";
  let digits = String(nanoseconds).padStart(9, "0");
  let end = 9;
  while (digits.charCodeAt(end - 1) === 0x30) end -= 1;
  if (end < 9) digits = digits.slice(0, end);
  return `.${digits}`;
}

function offsetText(offsetSeconds: number): string {
  if (offsetSeconds === 0) return "Z";
  // Old local mean times have seconds, which the format cannot show: Go cuts them off.
  const minutes = Math.trunc(Math.abs(offsetSeconds) / 60);
  const sign = Math.trunc(offsetSeconds / 60) < 0 ? "-" : "+";
  return `${sign}${TWO_DIGITS[Math.trunc(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}`;
}

/** The dates of days that were asked for lately, each in the slot of its lowest bits. */
const CACHED_DAYS = 512;
const cachedDay = new Float64Array(CACHED_DAYS).fill(Number.NaN);
const cachedDateText: string[] = Array.from({ length: CACHED_DAYS }, () => "");

function dateText(day: number): string {
  const slot = day & (CACHED_DAYS - 1);
  if (cachedDay[slot] !== day) {
    const date = civilFromDays(day);
    const year = String(date.year).padStart(4, "0");
    cachedDateText[slot] = `${year}-${TWO_DIGITS[date.month]}-${TWO_DIGITS[date.day]}T`;
    cachedDay[slot] = day;
  }
  return cachedDateText[slot]!;
}

/**
 * The seconds of the same date and time in a year that the format can hold: restic sets the year
 * to 0 or 9999 and leaves the rest, with what that zone says there.
 */
function clampedSeconds(seconds: number, zone: TimeZone): number {
  const localSeconds = seconds + zone.offsetAt(seconds);
  const day = Math.floor(localSeconds / DAY_SECONDS);
  const { year, month, day: dayOfMonth } = civilFromDays(day);
  if (year >= 0 && year <= YEAR_MAX) return seconds;
  const clampedDay = daysFromCivil(year < 0 ? 0 : YEAR_MAX, month, dayOfMonth);
  const clamped = clampedDay * DAY_SECONDS + (localSeconds - day * DAY_SECONDS);
  return unixFromLocal(clamped, zone);
}

/** Seconds east of Greenwich, at any instant. */
export type ZoneOffsets = Pick<TimeZone, "offsetAt">;

/** Go's `time.Date`: the instant at which clocks in a zone show this. */
export function unixFromLocal(localSeconds: number, zone: ZoneOffsets): number {
  const guess = localSeconds - zone.offsetAt(localSeconds);
  const offset = zone.offsetAt(guess);
  return localSeconds - offset;
}

/** 0000-01-02 and 9999-12-31 at 0:00 UTC: in between, no zone leads out of the four-digit years. */
const CERTAINLY_FROM = daysFromCivil(0, 1, 2) * DAY_SECONDS;
const CERTAINLY_UNTIL = daysFromCivil(9999, 12, 31) * DAY_SECONDS;

/** An instant as restic writes it. */
export function formatTime(instant: Instant, zone: TimeZone = localTimeZone()): string {
  let { seconds } = instant;
  if (seconds < CERTAINLY_FROM || seconds >= CERTAINLY_UNTIL) {
    seconds = clampedSeconds(seconds, zone);
  }
  const offset = zone.offsetAt(seconds);
  const localSeconds = seconds + offset;
  const day = Math.floor(localSeconds / DAY_SECONDS);
  const ofDay = localSeconds - day * DAY_SECONDS;
  const hour = (ofDay / 3600) | 0;
  const minute = ((ofDay - hour * 3600) / 60) | 0;
  const second = ofDay - hour * 3600 - minute * 60;
  return (
    dateText(day) +
    `${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[second]}` +
    fractionText(instant.nanoseconds) +
    offsetText(offset)
  );
}

function wrongTime(text: string): never {
  throw damaged("a stored time", `${JSON.stringify(text.slice(0, 64))} is not RFC 3339`);
}

/** The number of `count` digits at `at`; negative where one of them is no digit. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysOfMonth(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return MONTH_DAYS[month - 1]! + (leap ? 1 : 0);
}

let lastParsedDate = "";
let lastParsedDay = 0;

/** The day, counted from 1970-01-01, of the first ten characters. */
function dayFromText(text: string): number {
  const date = text.slice(0, 10);
  if (date === lastParsedDate) return lastParsedDay;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  if (year < 0 || day < 1 || day > daysOfMonth(year, month)) wrongTime(text);
  if (text[4] !== "-" || text[7] !== "-") wrongTime(text);
  lastParsedDate = date;
  lastParsedDay = daysFromCivil(year, month, day);
  return lastParsedDay;
}

/** Seconds east of Greenwich that the end of the text, from `at` on, says. */
function offsetFromText(text: string, at: number): number {
  const sign = text[at];
  if (sign === "Z" && text.length === at + 1) return 0;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (text.length !== at + 6 || text[at + 3] !== ":") wrongTime(text);
  if (hours < 0 || hours > 24 || minutes < 0 || minutes > 60) wrongTime(text);
  if (sign !== "+" && sign !== "-") wrongTime(text);
  const total = hours * 3600 + minutes * 60;
  return sign === "-" ? -total : total;
}

/** The exact instant of a stored time, whatever zone it was written in. */
export function parseTime(text: string): Instant {
  const day = dayFromText(text);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    wrongTime(text);
  }
  if (text[10] !== "T" || text[13] !== ":" || text[16] !== ":") wrongTime(text);
  let at = 19;
  let nanoseconds = 0;
  if (text[at] === ".") {
    let scale = 100_000_000;
    for (at = 20; digits(text, at, 1) >= 0; at++) {
      // Digits beyond nanoseconds are cut, as Go does.
      nanoseconds += digits(text, at, 1) * scale;
      scale = scale === 1 ? 0 : scale / 10;
    }
    if (at === 20) wrongTime(text);
  }
  const ofDay = hour * 3600 + minute * 60 + second;
  return { seconds: day * DAY_SECONDS + ofDay - offsetFromText(text, at), nanoseconds };
}

/** Whether a stored time is this instant. */
export function isSameTime(text: string, instant: Instant): boolean {
  const stored = parseTime(text);
  return stored.seconds === instant.seconds && stored.nanoseconds === instant.nanoseconds;
}
