import { z } from "zod";
import { channel } from "./channel.ts";
import { destination } from "./destination.ts";
import { plan } from "./plan.ts";
import { settings } from "./settings.ts";
import { snapshotter } from "./source.ts";
import { duration, listOf, name, textOrSecret, timezone } from "./values.ts";

/** The whole of comeback.yaml, after its includes and defaults were merged in. */
export const configuration = settings({
  include: listOf(z.string())
    .default([])
    .describe("Other files of the same form; patterns are relative to this one."),
  host: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The host that snapshots are saved and runs recorded under; this host's name if not given.",
    ),
  timezone: timezone.optional().describe("For schedules; this host's if not given."),
  state: z
    .string()
    .startsWith("/")
    .optional()
    .describe("The folder of catalog, journals and locks."),
  catalog: textOrSecret.optional().describe('"postgres://…": a catalog that several hosts share.'),
  "keep-history": duration.prefault("730d").describe("How long the catalog keeps runs."),
  defaults: z
    .strictObject({
      plan: z.record(z.string(), z.unknown()).optional().describe("What plans say."),
      destination: z.record(z.string(), z.unknown()).optional().describe("What destinations say."),
      source: z
        .record(z.string(), z.unknown())
        .optional()
        .describe("What sources say; under the name of a kind, for that kind only."),
      channel: z
        .record(z.string(), z.unknown())
        .optional()
        .describe("What channels say; under the name of a kind, for that kind only."),
    })
    .default({})
    .describe("Merged under each of their kind, before what that one says itself."),
  destinations: z.record(name, destination).describe("Repositories, by name."),
  snapshotters: z.record(name, snapshotter).default({}).describe("Ways to freeze paths, by name."),
  channels: z.record(name, channel).default({}).describe("Where notifications go, by name."),
  plans: z.record(name, plan).describe("What is protected, by name."),
  daemon: settings({
    "parallel-runs": z
      .number()
      .int()
      .min(1)
      .max(16)
      .default(1)
      .describe("Plans that run at the same time."),
    metrics: settings({
      listen: z.string().optional().describe('Where they are served: "127.0.0.1:9469".'),
      textfile: z
        .string()
        .startsWith("/")
        .optional()
        .describe("A file for the textfile collector of node_exporter."),
    })
      .prefault({})
      .describe("Metrics for Prometheus."),
  })
    .prefault({})
    .describe("For `comeback daemon`."),
}).meta({ description: "The whole of comeback.yaml." });
export type Configuration = z.output<typeof configuration>;
