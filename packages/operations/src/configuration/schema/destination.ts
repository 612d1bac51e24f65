import { z } from "zod";
import { keep } from "./keep.ts";
import { settings } from "./settings.ts";
import { command, duration, retries, secret, size, textOrSecret, timeWindow } from "./values.ts";

/** A place that must be there before anything is written below it. */
const mount = settings({
  point: z.string().startsWith("/"),
  command: command.optional(),
  /** A file that lies on what is mounted there. */
  marker: z.string().optional(),
  device: z.string().optional(),
  wait: duration.default(30_000),
});

/** A repository's folder, kept alike by a program instead of by the engine. */
const replica = z.union([
  settings({ rsync: z.string().min(1), ssh: z.string().optional() }),
  settings({ command }),
]);

export const destination = settings({
  /** As after `-r`. Of a replica: where its repository can be opened for a restore. */
  repo: z.string().min(1),
  hot: z.string().optional(),
  password: secret,
  /** Filled by replication of another destination's folder. */
  replica: replica.optional(),
  mount: mount.optional(),
  /** As after `-o`: {s3.region: eu-central-1}. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** What its storage finds in the environment: {AWS_SECRET_ACCESS_KEY: {file: …}}. */
  environment: z.record(z.string(), textOrSecret).default({}),
  keep: keep.optional(),
  "limit-upload": size.optional(),
  "limit-download": size.optional(),
  /** Where the rates apply; always if not given. */
  "limit-window": timeWindow.optional(),
  "pack-size": size.optional(),
  compression: z.enum(["auto", "off", "fastest", "better", "max"]).default("auto"),
  /** Warn below so much free space; for storage that can tell. */
  "free-space": size.optional(),
  /** How many days it may take until every pack was read by a check. */
  "verify-within": duration.optional(),
  /** Space that removed snapshots leave is freed at most so often. */
  "prune-every": duration.default(24 * 3600 * 1000),
  retries: retries.prefault({}),
  "retry-lock": duration.default(600_000),
});
export type DestinationSettings = z.output<typeof destination>;
