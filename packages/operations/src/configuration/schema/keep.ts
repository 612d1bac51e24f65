import { z } from "zod";
import type { KeepPolicy } from "@comeback/engine";
import { calendarDuration, listOf } from "./values.ts";

const count = z.union([z.number().int().min(0), z.literal("all")]);

/** What a destination keeps of a plan's snapshots; the rules are those of `comeback forget`. */
export const keep = z
  .strictObject({
    last: count.optional(),
    hourly: count.optional(),
    daily: count.optional(),
    weekly: count.optional(),
    monthly: count.optional(),
    yearly: count.optional(),
    within: calendarDuration.optional(),
    "within-hourly": calendarDuration.optional(),
    "within-daily": calendarDuration.optional(),
    "within-weekly": calendarDuration.optional(),
    "within-monthly": calendarDuration.optional(),
    "within-yearly": calendarDuration.optional(),
    tags: listOf(z.string()).optional(),
    "min-age": calendarDuration.optional(),
    "min-count": z.number().int().min(1).optional(),
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
  }));

function number(given: number | "all" | undefined): number {
  return given === "all" ? Infinity : (given ?? 0);
}
