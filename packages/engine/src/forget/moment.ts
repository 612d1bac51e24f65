import type { Instant } from "@comeback/core";
import { civilFromDays, daysFromCivil } from "../tree/civil.ts";
import { parseTime, unixFromLocal, type ZoneOffsets } from "../tree/time-text.ts";
import type { CalendarDuration } from "./calendar-duration.ts";

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** An instant, and the zone whose clocks and calendar it was written by. */
export interface Moment extends Instant {
  readonly zone: ZoneOffsets;
}

/** What clocks and calendars show at a moment. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  /** Days since 1970-01-01. */
  readonly dayNumber: number;
}

/** Go's zero time, 0001-01-01 0:00 UTC. */
export const ZERO_MOMENT: Moment = { seconds: -62_135_596_800, nanoseconds: 0, zone: zoneOf(0) };

function zoneOf(offsetSeconds: number): ZoneOffsets {
  return { offsetAt: () => offsetSeconds };
}

/**
 * A snapshot's time. As Go reads it: an offset that is the local zone's at that instant means the
 * local zone, with its changes between summer and winter; any other stays what it is for ever.
 */
export function parseMoment(text: string, localZone: ZoneOffsets): Moment {
  const instant = parseTime(text);
  const written = /([+-])(\d\d):(\d\d)$/.exec(text);
  if (written === null) return { ...instant, zone: zoneOf(0) };
  const [, sign, hours, minutes] = written;
  const size = Number(hours) * HOUR_SECONDS + Number(minutes) * 60;
  const offsetSeconds = sign === "-" ? -size : size;
  const isLocal = localZone.offsetAt(instant.seconds) === offsetSeconds;
  return { ...instant, zone: isLocal ? localZone : zoneOf(offsetSeconds) };
}

export function compareMoments(a: Instant, b: Instant): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}

export function civilTime({ seconds, zone }: Moment): CivilTime {
  const localSeconds = seconds + zone.offsetAt(seconds);
  const dayNumber = Math.floor(localSeconds / DAY_SECONDS);
  const hour = Math.floor((localSeconds - dayNumber * DAY_SECONDS) / HOUR_SECONDS);
  return { ...civilFromDays(dayNumber), hour, dayNumber };
}

/** The year and number of the week (ISO 8601): a week belongs to the year of its Thursday. */
export function isoWeek(dayNumber: number): { readonly year: number; readonly week: number } {
  // 1970-01-01 was a Thursday: weeks that begin on Monday begin three days earlier.
  const monday = Math.floor((dayNumber + 3) / 7) * 7 - 3;
  const thursday = monday + 3;
  const { year } = civilFromDays(thursday);
  return { year, week: Math.floor((thursday - daysFromCivil(year, 1, 1)) / 7) + 1 };
}

/** Go's `AddDate` backwards, then hours: the calendar first, in the moment's own zone. */
export function momentBefore(moment: Moment, duration: CalendarDuration): Moment {
  const { seconds, zone } = moment;
  const localSeconds = seconds + zone.offsetAt(seconds);
  const { year, month, day, dayNumber } = civilTime(moment);
  const months = (year - duration.years) * 12 + (month - 1) - duration.months;
  const target = daysFromCivil(
    Math.floor(months / 12),
    months - Math.floor(months / 12) * 12 + 1,
    // The 31st of a shorter month runs over into the next, as in Go.
    day - duration.days,
  );
  const ofDay = localSeconds - dayNumber * DAY_SECONDS;
  const onThatDay = unixFromLocal(target * DAY_SECONDS + ofDay, zone);
  return { ...moment, seconds: onThatDay - duration.hours * HOUR_SECONDS };
}
