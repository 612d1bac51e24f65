import { Cron } from "croner";
import { messageOf } from "@comeback/core";
import { scheduleInvalid } from "./schedule-error.ts";
import { DAY_MS, type DayPattern, MINUTES_PER_DAY, type Trigger, type WallDay } from "./trigger.ts";

const FIELDS = 5;
/** Those before, around and behind the moment that is asked for. */
const SPANS_REMEMBERED_MAX = 4;
const EVERY_DAY: DayPattern = { next: (from) => from };

/**
 * The days of a cron line's last three fields. The library reckons in UTC, which has no gaps: what
 * a day's times are in a time zone, and what happens where its clocks change, is not its matter.
 */
export function cronDays(fields: string): DayPattern {
  if (fields === "* * *") return EVERY_DAY;
  const cron = new Cron(`0 0 ${fields}`, { timezone: "UTC", mode: "5-part", paused: true });
  // Asked day by day for a day that is a year away, it would look through the year each time.
  const known: { readonly from: WallDay; readonly found: WallDay }[] = [];
  return {
    next(from) {
      const hit = known.find((span) => span.from <= from && from <= span.found);
      if (hit !== undefined) return hit.found;
      // The library looks for what is later than the whole second that it is given.
      const next = cron.nextRun(new Date(from * DAY_MS - 1000));
      if (next === null) return undefined;
      const found = Math.floor(next.getTime() / DAY_MS);
      if (known.length >= SPANS_REMEMBERED_MAX) known.shift();
      known.push({ from, found });
      return found;
    },
  };
}

/** The times of a day that a cron line's first two fields stand for. */
function cronMinutes(fields: string): number[] {
  const cron = new Cron(`${fields} * * *`, { timezone: "UTC", mode: "5-part", paused: true });
  const minutes: number[] = [];
  let after = new Date(-1000);
  while (minutes.length <= MINUTES_PER_DAY) {
    const found = cron.nextRun(after);
    if (found === null || found.getTime() >= DAY_MS) break;
    minutes.push(found.getTime() / 60_000);
    after = found;
  }
  return minutes;
}

/** "30 2 * * mon-fri": minute, hour, day of the month, month, day of the week. */
export function parseCronLine(text: string): Trigger {
  const fields = text.split(" ");
  if (fields.length !== FIELDS) {
    const why =
      `a cron line has five fields (minute, hour, day of the month, month, day of the week), ` +
      `and this has ${fields.length}`;
    throw scheduleInvalid({ text, why });
  }
  // To the library it means "what it is now", which would be another schedule at every start.
  if (text.includes("?")) throw scheduleInvalid({ text, why: '"?" has no fixed meaning' });
  const [minute, hour, ...days] = fields;
  try {
    const trigger: Trigger = {
      text,
      minutesOfDay: cronMinutes(`${minute} ${hour}`),
      isEveryHour: hour === "*",
      days: cronDays(days.join(" ")),
    };
    if (trigger.days.next(0) !== undefined) return trigger;
  } catch (cause) {
    const why = messageOf(cause).replace(/^CronPattern: /, "");
    throw scheduleInvalid({ text, why });
  }
  throw scheduleInvalid({ text, why: "there is no such day in any year" });
}
