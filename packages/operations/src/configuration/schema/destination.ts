import { z } from "zod";
import { MOUNT_WAIT_MAX_MS, PACK_SIZE_MAX_BYTES, PACK_SIZE_MIN_BYTES } from "@comeback/core";
import { keep } from "./keep.ts";
import { settings } from "./settings.ts";
import { command, duration, retries, secret, size, textOrSecret, timeWindow } from "./values.ts";

const mount = settings({
  point: z.string().startsWith("/").describe("The folder that has to be a mount point."),
  command: command.optional().describe("Mounts it."),
  marker: z.string().optional().describe("A file that lies on what is mounted there."),
  device: z
    .string()
    .optional()
    .describe("What the repository has to lie on: UUID=…, LABEL=…, server:/path."),
  wait: duration
    .refine((milliseconds) => milliseconds <= MOUNT_WAIT_MAX_MS, "mounting takes an hour at most")
    .prefault("30s")
    .describe("How long the command may take."),
}).meta({
  id: "mount",
  description: "A place that must be there before anything is written below it.",
});

/** A repository's folder, kept alike by a program instead of by the engine. */
const replica = z.union([
  settings({
    rsync: z.string().min(1).describe("As rsync writes it: host:/path, or a folder."),
    ssh: z.string().optional().describe("The command for ssh, with its options."),
  }),
  settings({ command: command.describe("See docs/reference/replicate.md.") }),
]);

export const destination = settings({
  repo: z
    .string()
    .min(1)
    .describe("As after `-r`. Of a replica: where its repository can be opened for a restore."),
  hot: z.string().optional().describe("Its hot part, as after `--repo-hot`."),
  password: secret.describe("Where its password is."),
  replica: replica.optional().describe("Filled by replication of another destination's folder."),
  mount: mount.optional(),
  options: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9]*\.[a-zA-Z0-9][a-zA-Z0-9-]*$/, "an option is named as s3.region"),
      z.union([z.string(), z.number(), z.boolean()]),
    )
    .default({})
    .describe("As after `-o`: {s3.region: eu-central-1}."),
  environment: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable is named as AWS_ACCESS_KEY_ID"),
      textOrSecret,
    )
    .default({})
    .describe("What its storage finds in the environment: {AWS_SECRET_ACCESS_KEY: {file: …}}."),
  keep: keep.optional().describe("What stays here, of every plan."),
  "limit-upload": size.optional().describe("Bytes a second that are sent."),
  "limit-download": size.optional().describe("Bytes a second that are received."),
  "limit-window": timeWindow.optional().describe("Where the rates apply; always if not given."),
  "pack-size": size
    .refine((bytes) => bytes >= PACK_SIZE_MIN_BYTES && bytes <= PACK_SIZE_MAX_BYTES, {
      error: "a pack is of 4M to 128M",
    })
    .optional()
    .describe("Of pack files; 16M if not given."),
  compression: z.enum(["auto", "off", "fastest", "better", "max"]).default("auto"),
  "prune-every": duration
    .prefault("1d")
    .describe("Space that removed snapshots leave is freed at most so often."),
  "free-space": size
    .optional()
    .describe("Warn below so much free space; for storage that can tell."),
  "verify-within": duration
    .optional()
    .describe("How long it may take until every pack was read by a check."),
  retries: retries
    .prefault({})
    .describe(
      "How often opening it and checking it are tried again as a whole. Failed calls of its storage are repeated by themselves, see docs/reference/storage.md.",
    ),
  "retry-lock": duration.prefault("10m").describe("How long others' locks are waited for."),
}).meta({ id: "destination", description: "A repository, and what holds for it." });
export type DestinationSettings = z.output<typeof destination>;
