import { DAY_MS, type WallDay } from "./trigger.ts";

const MINUTE_MS = 60_000;

/** The day that a zone's calendar shows at a moment. */
export function wallDayAt(ms: number, zone: string): WallDay {
  const date = zonedAt(ms, zone).toPlainDate();
  return Math.floor(Date.UTC(date.year, date.month - 1, date.day) / DAY_MS);
}

/** How far a zone's clocks are ahead of UTC, where they do not change all day long. */
export function steadyOffsetMs(day: WallDay, zone: string): number | undefined {
  const from = plainTime(day, 0).toZonedDateTime(zone);
  const change = from.getTimeZoneTransition("next")?.epochMilliseconds;
  const isSteady =
    from.toPlainDateTime().equals(plainTime(day, 0)) &&
    (change === undefined ||
      change >= plainTime(day + 1, 0).toZonedDateTime(zone).epochMilliseconds) &&
    // A change in the first moment may show one and the same time twice.
    zonedAt(from.epochMilliseconds - 1, zone).offsetNanoseconds === from.offsetNanoseconds;
  return isSteady ? from.offsetNanoseconds / 1e6 : undefined;
}

/** What a zone's clocks show at one time of one day of the calendar. */
export type WallMoments =
  | { readonly kind: "once"; readonly atMs: number }
  /** Set back, the clocks show it again. */
  | { readonly kind: "twice"; readonly firstMs: number; readonly secondMs: number }
  /** Set forward, the clocks leave it out; with it, everything up to that moment. */
  | { readonly kind: "never"; readonly afterGapMs: number };

export function wallMoments(day: WallDay, minuteOfDay: number, zone: string): WallMoments {
  const wall = plainTime(day, minuteOfDay);
  const first = wall.toZonedDateTime(zone, { disambiguation: "earlier" });
  const second = wall.toZonedDateTime(zone, { disambiguation: "later" });
  const firstMs = first.epochMilliseconds;
  const secondMs = second.epochMilliseconds;
  if (firstMs === secondMs) return { kind: "once", atMs: firstMs };
  if (first.toPlainDateTime().equals(wall)) return { kind: "twice", firstMs, secondMs };
  const afterGapMs = first.getTimeZoneTransition("next")!.epochMilliseconds;
  return { kind: "never", afterGapMs };
}

/** The time zone of this machine: "Europe/Vienna". */
export function systemZone(): string {
  zone ??= Temporal.Now.timeZoneId();
  return zone;
}

let zone: string | undefined;

function zonedAt(ms: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
}

function plainTime(day: WallDay, minuteOfDay: number): Temporal.PlainDateTime {
  const at = new Date(day * DAY_MS + minuteOfDay * MINUTE_MS);
  return new Temporal.PlainDateTime(
    at.getUTCFullYear(),
    at.getUTCMonth() + 1,
    at.getUTCDate(),
    at.getUTCHours(),
    at.getUTCMinutes(),
  );
}
