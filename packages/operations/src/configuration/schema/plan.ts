import { z } from "zod";
import { BACKUP_TYPES } from "@comeback/core";
import { hook, maintenance } from "./action.ts";
import { keep } from "./keep.ts";
import { schedule, trigger } from "./schedule.ts";
import { settings } from "./settings.ts";
import { source } from "./source.ts";
import { command, duration, listOf, name, percent, retries, timeWindow } from "./values.ts";

const copy = settings({
  from: name.describe("A destination that the plan writes, or that a copy goes to."),
  to: name.describe("The destination that gets them."),
  only: settings({
    types: listOf(z.enum(BACKUP_TYPES)).optional().describe("Snapshots of these types."),
    period: z
      .enum(["daily", "weekly", "monthly", "yearly"])
      .optional()
      .describe("The first of each day, week, month or year."),
    sources: listOf(name).optional().describe("Snapshots of these sources."),
  })
    .prefault({})
    .describe("Which of them: all if not given."),
  keep: keep.optional().describe("What of this plan stays at `to`, instead of its own rules."),
  schedule: trigger.optional().describe("At these moments instead of after every run."),
  window: timeWindow
    .optional()
    .describe("Only in this window; what does not get through goes on in the next."),
  retries: retries.prefault({ count: 2 }),
}).meta({ id: "copy", description: "Snapshots that go on from one destination to another." });
export type CopySettings = z.output<typeof copy>;

const verify = settings({
  "read-data": percent
    .prefault("0%")
    .describe("Share of the repository's packs that is read back."),
  enabled: z.boolean().default(true).describe("`false` leaves this stage out."),
}).meta({ id: "verify", description: "What is proven after each run." });

export const plan = settings({
  sources: z.record(name, source).describe("What is saved, by name."),
  to: listOf(name).describe("The destinations that every run writes."),
  schedule: schedule.optional().describe("When it runs; only by hand if not given."),
  objectives: settings({
    rpo: duration.optional().describe("How old the last good snapshot may be."),
    rto: duration.optional().describe("How long a recovery may take: `status` compares it."),
  })
    .prefault({})
    .describe("What it is measured against."),
  maintenance: maintenance.optional(),
  hooks: z.array(hook).default([]).describe("Around the whole run."),
  copies: z.array(copy).default([]).describe("Where its snapshots go on to."),
  keep: keep.optional().describe("For the destinations of `to` that say nothing of their own."),
  verify: verify.prefault({}),
  notify: listOf(name).default([]).describe("Channels that are told."),
  tags: z.array(z.string()).default([]).describe("On all its snapshots."),
  requires: z
    .array(
      settings({
        mount: z.string().startsWith("/").describe("The mount point."),
        command: command.optional().describe("Mounts it."),
        wait: duration.prefault("30s").describe("How long mounting may take."),
      }),
    )
    .default([])
    .describe("Paths of mounts that must be there before the run, with what mounts them."),
  "healthy-containers": listOf(z.string())
    .default([])
    .describe("Containers that must be running, and healthy where they say."),
  timeout: duration.optional().describe("The whole run is ended after so long."),
  enabled: z.boolean().default(true).describe("`false`: nothing starts by itself."),
}).meta({ id: "plan", description: "What is saved, where to, when, and how long it stays." });
export type PlanSettings = z.output<typeof plan>;
