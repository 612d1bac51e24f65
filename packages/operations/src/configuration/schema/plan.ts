import { z } from "zod";
import { BACKUP_TYPES } from "@comeback/core";
import { hook, maintenance } from "./action.ts";
import { keep } from "./keep.ts";
import { schedule, trigger } from "./schedule.ts";
import { settings } from "./settings.ts";
import { source } from "./source.ts";
import { command, duration, listOf, name, percent, retries, timeWindow } from "./values.ts";

/** Snapshots that go on from one destination to another. */
const copy = settings({
  from: name,
  to: name,
  /** Which of them: all if not given. */
  only: settings({
    types: listOf(z.enum(BACKUP_TYPES)).optional(),
    /** The first of each day, week, month or year only. */
    period: z.enum(["daily", "weekly", "monthly", "yearly"]).optional(),
    sources: listOf(name).optional(),
  }).prefault({}),
  keep: keep.optional(),
  /** At these moments instead of after every run. */
  schedule: trigger.optional(),
  /** Only in this window; what does not get through goes on in the next. */
  window: timeWindow.optional(),
  retries: retries.prefault({ count: 2 }),
});
export type CopySettings = z.output<typeof copy>;

/** What is proven after each run. */
const verify = settings({
  /** Share of the repository's packs that is read back. */
  "read-data": percent.default(0),
  /** `new`: what this run stored is read back whole. */
  "read-new": z.boolean().default(false),
  enabled: z.boolean().default(true),
});

export const plan = settings({
  sources: z.record(name, source),
  to: listOf(name),
  schedule: schedule.optional(),
  objectives: settings({ rpo: duration.optional(), rto: duration.optional() }).prefault({}),
  maintenance: maintenance.optional(),
  hooks: z.array(hook).default([]),
  copies: z.array(copy).default([]),
  /** For the destinations of `to` that say nothing of their own. */
  keep: keep.optional(),
  verify: verify.prefault({}),
  notify: listOf(name).default([]),
  tags: z.array(z.string()).default([]),
  /** Paths of mounts that must be there before the run, with what mounts them. */
  requires: z
    .array(
      settings({
        mount: z.string().startsWith("/"),
        command: command.optional(),
        wait: duration.default(30_000),
      }),
    )
    .default([]),
  /** Containers that must be running, and healthy where they say. */
  "healthy-containers": listOf(z.string()).default([]),
  /** The whole run is ended after so long. */
  timeout: duration.optional(),
  enabled: z.boolean().default(true),
});
export type PlanSettings = z.output<typeof plan>;
