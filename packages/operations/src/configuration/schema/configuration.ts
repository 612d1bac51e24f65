import { z } from "zod";
import { channel } from "./channel.ts";
import { destination } from "./destination.ts";
import { plan } from "./plan.ts";
import { settings } from "./settings.ts";
import { snapshotter } from "./source.ts";
import { duration, listOf, name, textOrSecret, timezone } from "./values.ts";

/** The whole of comeback.yaml, after its includes and defaults were merged in. */
export const configuration = settings({
  /** Other files of the same form; patterns are relative to this one. */
  include: listOf(z.string()).default([]),
  /** The host that snapshots are saved under; this host's name if not given. */
  host: z.string().min(1).optional(),
  timezone: timezone.optional(),
  /** The folder of catalog, journals and locks. */
  state: z.string().startsWith("/").optional(),
  /** "postgres://…": a catalog that several hosts share. */
  catalog: textOrSecret.optional(),
  "keep-history": duration.default(2 * 365 * 24 * 3600 * 1000),
  /** Merged under each of their kind, before what that one says itself. */
  defaults: z
    .strictObject({
      plan: z.record(z.string(), z.unknown()).optional(),
      destination: z.record(z.string(), z.unknown()).optional(),
      source: z.record(z.string(), z.unknown()).optional(),
      channel: z.record(z.string(), z.unknown()).optional(),
    })
    .default({}),
  destinations: z.record(name, destination),
  snapshotters: z.record(name, snapshotter).default({}),
  channels: z.record(name, channel).default({}),
  plans: z.record(name, plan),
  daemon: settings({
    "parallel-runs": z.number().int().min(1).max(16).default(1),
    metrics: settings({
      /** "127.0.0.1:9469" */
      listen: z.string().optional(),
      textfile: z.string().startsWith("/").optional(),
    }).prefault({}),
  }).prefault({}),
});
export type Configuration = z.output<typeof configuration>;
