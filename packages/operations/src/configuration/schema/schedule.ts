import { z } from "zod";
import { settings } from "./settings.ts";
import { duration, listOf, timeWindow, timezone } from "./values.ts";

const weekday = z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);

/**
 * When something starts. As text: "hourly", "daily 02:00", "weekly sun 03:00", "monthly 1 03:00"
 * ("monthly last 03:00"), or a cron expression of five fields.
 */
export const trigger = z
  .string()
  .min(1)
  .meta({
    id: "trigger",
    description:
      '"hourly", "daily 02:00", "weekly sun 03:00", "monthly 1 03:00", "monthly last 03:00", or a ' +
      "cron expression of five fields.",
  });

/** One trigger for the plan, or one for each type of backup. */
export const schedule = z
  .union([
    trigger.transform((text) => ({ triggers: { incremental: text } as Triggers, ...DEFAULTS })),
    settings({
      full: trigger.optional().describe("When everything is read again."),
      differential: trigger
        .optional()
        .describe("When what changed since the last full one is read."),
      incremental: trigger
        .optional()
        .describe("When what changed since the last snapshot is read."),
      timezone: timezone
        .optional()
        .describe("The zone of these times; the configuration's if not given."),
      jitter: duration
        .prefault("0s")
        .describe("Each start is put off by up to so much, the same for one plan and moment."),
      quiet: listOf(timeWindow)
        .default([])
        .describe("Windows in which nothing starts; what falls into one starts at its end."),
      "catch-up": z
        .boolean()
        .default(true)
        .describe("A moment missed while nothing ran is made up for, once."),
    }).transform(({ full, differential, incremental, ...rest }) => ({
      triggers: { full, differential, incremental } as Triggers,
      ...rest,
    })),
  ])
  .meta({
    id: "schedule",
    description: "One trigger, for incremental backups, or one for each type of backup.",
  }) as unknown as z.ZodType<ScheduleSettings>;

export interface Triggers {
  readonly full?: string | undefined;
  readonly differential?: string | undefined;
  readonly incremental?: string | undefined;
}

export interface ScheduleSettings {
  readonly triggers: Triggers;
  readonly timezone?: string | undefined;
  readonly jitter: number;
  readonly quiet: readonly string[];
  readonly catchUp: boolean;
}

const DEFAULTS = { jitter: 0, quiet: [], catchUp: true };
export const weekdays: readonly string[] = weekday.options;
