/** A length of time by the calendar, as restic writes it: `1y5m7d2h`. A month is a month. */
export interface CalendarDuration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const UNITS = { y: "years", m: "months", d: "days", h: "hours" } as const;

/** For messages: the forms that `parseCalendarDuration` takes. */
export const CALENDAR_DURATION_FORMS =
  "years y, months m, days d and hours h with whole numbers, such as 14d, 6m or 1y5m7d2h";

/**
 * `undefined` where the text is no duration. What restic takes too, but nobody means, is refused: a
 * unit given twice (the last would count), and no unit at all (the rule would silently not exist).
 */
export function parseCalendarDuration(text: string): CalendarDuration | undefined {
  const duration = { years: 0, months: 0, days: 0, hours: 0 };
  const trimmed = text.trim();
  if (!/^(?:\d{1,7}[ymdh])+$/.test(trimmed)) return undefined;
  const seen = new Set<string>();
  for (const [, digits, unit] of trimmed.matchAll(/(\d+)([ymdh])/g)) {
    if (seen.has(unit!)) return undefined;
    seen.add(unit!);
    duration[UNITS[unit as keyof typeof UNITS]] = Number(digits);
  }
  return duration;
}

export function isZeroDuration({ years, months, days, hours }: CalendarDuration): boolean {
  return years === 0 && months === 0 && days === 0 && hours === 0;
}

/** As restic writes it in its reasons: without the units that are zero. */
export function calendarDurationText(duration: CalendarDuration): string {
  return Object.entries(UNITS)
    .map(([unit, name]) => (duration[name] === 0 ? "" : `${duration[name]}${unit}`))
    .join("");
}
