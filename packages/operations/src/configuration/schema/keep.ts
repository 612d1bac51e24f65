import { z } from "zod";
import type { KeepPolicy } from "@comeback/engine";
import { calendarDuration, listOf } from "./values.ts";

const count = z.union([z.number().int().min(0), z.literal("all")], {
  error: 'this is a number, or "all"',
});

/** What a destination keeps of a plan's snapshots; the rules are those of `comeback forget`. */
export const keep = z
  .strictObject({
    last: count.optional().describe("The newest so many."),
    hourly: count.optional().describe("The last of each of so many hours."),
    daily: count.optional().describe("The last of each of so many days."),
    weekly: count.optional().describe("The last of each of so many weeks."),
    monthly: count.optional().describe("The last of each of so many months."),
    yearly: count.optional().describe("The last of each of so many years."),
    within: calendarDuration
      .optional()
      .describe("All that are at most so much older than the latest."),
    "within-hourly": calendarDuration.optional().describe("The last of each hour among those."),
    "within-daily": calendarDuration.optional().describe("The last of each day among those."),
    "within-weekly": calendarDuration.optional().describe("The last of each week among those."),
    "within-monthly": calendarDuration.optional().describe("The last of each month among those."),
    "within-yearly": calendarDuration.optional().describe("The last of each year among those."),
    tags: listOf(z.string())
      .optional()
      .describe('All that have every tag of a list such as "a,b".'),
    "min-age": calendarDuration.optional().describe("All that are at most so old, by the clock."),
    "min-count": z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("The newest so many, whatever the clock says."),
  })
  .refine((rules) => Object.keys(rules).length > 0, {
    error: "keep needs a rule, such as {daily: 7}; without one nothing is ever removed",
  })
  .transform((rules): KeepPolicy => ({
    ...(rules.last === undefined ? {} : { last: number(rules.last) }),
    counts: {
      hourly: number(rules.hourly),
      daily: number(rules.daily),
      weekly: number(rules.weekly),
      monthly: number(rules.monthly),
      yearly: number(rules.yearly),
    },
    within: rules.within,
    withinPeriods: {
      hourly: rules["within-hourly"],
      daily: rules["within-daily"],
      weekly: rules["within-weekly"],
      monthly: rules["within-monthly"],
      yearly: rules["within-yearly"],
    },
    tags: (rules.tags ?? []).map((list) => list.split(",")),
    minAge: rules["min-age"],
    minCount: rules["min-count"],
  }))
  .meta({
    id: "keep",
    description:
      "What stays; the rules are those of `comeback forget`. What any rule keeps, stays.",
  });

function number(given: number | "all" | undefined): number {
  return given === "all" ? Infinity : (given ?? 0);
}
