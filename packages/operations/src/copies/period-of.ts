export type CopyPeriod = "daily" | "weekly" | "monthly" | "yearly";

const DAY_MS = 24 * 3600 * 1000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** A name that is the same for all moments of one day, week (Monday to Sunday), month or year. */
export function periodOf(atMs: number, period: CopyPeriod, timezone: string): string {
  let format = formats.get(timezone);
  if (format === undefined) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    format = new Intl.DateTimeFormat("en-CA", { timeZone: timezone, ...parts });
    formats.set(timezone, format);
  }
  const date = format.format(atMs);
  switch (period) {
    case "daily":
      return date;
    case "weekly":
      return mondayBefore(date);
    case "monthly":
      return date.slice(0, 7);
    case "yearly":
      return date.slice(0, 4);
  }
}

function mondayBefore(date: string): string {
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  const sinceMonday = (new Date(dayMs).getUTCDay() + 6) % 7;
  return new Date(dayMs - sinceMonday * DAY_MS).toISOString().slice(0, 10);
}
