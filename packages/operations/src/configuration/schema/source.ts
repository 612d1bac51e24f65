import { z } from "zod";
import { hook } from "./action.ts";
import { oneKind, settings } from "./settings.ts";
import {
  command,
  duration,
  listOf,
  name,
  percent,
  retries,
  secret,
  size,
  textOrSecret,
} from "./values.ts";

const paths = listOf(z.string().startsWith("/", "a path is absolute: it starts with /"));
const patterns = listOf(z.string()).default([]).describe("As the flag of `comeback backup`.");

const fileOptions = {
  exclude: patterns,
  iexclude: patterns,
  "exclude-file": patterns,
  "exclude-caches": z
    .boolean()
    .default(false)
    .describe("Without folders that have a CACHEDIR.TAG."),
  "exclude-if-present": patterns,
  "exclude-larger-than": size.optional().describe("Without larger files."),
  "one-file-system": z.boolean().default(false).describe("Nothing that is mounted below."),
  "with-atime": z.boolean().default(false).describe("With the time of the last access."),
  "ignore-inode": z.boolean().default(false).describe("A new inode is no change."),
  "ignore-ctime": z.boolean().default(false).describe("A new ctime is no change."),
};

const filesSettings = settings({
  paths: paths.describe("Absolute paths of files and folders."),
  ...fileOptions,
});
const files = z
  .union([filesSettings, paths])
  .transform((given) => (Array.isArray(given) ? filesSettings.parse({ paths: given }) : given))
  .meta({
    id: "files",
    description: "A path, a list of paths, or a mapping with `paths` and what is left out.",
  }) as unknown as z.ZodType<z.output<typeof filesSettings>>;

const configuration = settings({
  paths: paths.prefault(["/etc"]).describe("Files and folders."),
  ...fileOptions,
  reports: z
    .array(z.enum(["packages", "disks", "crontabs", "firewall", "network", "services", "mounts"]))
    .default(["packages", "disks", "crontabs", "firewall", "network", "services", "mounts"])
    .describe("What programs tell of the machine; all if not given."),
  commands: z
    .record(name, command)
    .default({})
    .describe("More output to keep: a file name, and the command that prints it."),
}).meta({
  id: "configuration-source",
  description: "What is needed to set a machine up again: files, and what programs tell of it.",
});

const commandSource = settings({
  run: command.describe("The program."),
  filename: z.string().min(1).describe("The file's path in the snapshot."),
  environment: z.record(z.string(), textOrSecret).default({}).describe("Variables that it gets."),
  "exit-codes": listOf(z.number().int().min(0).max(255))
    .default([0])
    .describe("Exit codes that mean that all went well."),
  timeout: duration.optional().describe("It is ended after so long, and the source fails."),
}).meta({
  id: "command-source",
  description: "A program whose standard output is kept as a file.",
});

const postgres = settings({
  url: textOrSecret
    .optional()
    .describe(
      '"postgres://user@host:5432/postgres"; without a password in it. The local server by default.',
    ),
  password: secret.optional().describe("Where the password is."),
  databases: listOf(z.string()).optional().describe("All that allow connections if not given."),
  exclude: listOf(z.string()).default([]).describe("Databases that are left out."),
  globals: z.boolean().default(true).describe("Roles and tablespaces, too."),
  programs: z
    .string()
    .startsWith("/")
    .optional()
    .describe("The folder of pg_dump, where it is not the newest one found."),
  "run-as": z
    .string()
    .optional()
    .describe('Runs the programs as this user of the system: "postgres" for peer authentication.'),
}).meta({
  id: "postgres",
  description:
    "Logical dumps of a cluster: each database in pg_dump's custom format, and the globals.",
});

const reaction = z.enum(["fail", "warn", "ignore"]);

export const expectation = settings({
  vanished: reaction
    .default("fail")
    .describe("A database, a path, a volume that was there is not there any more."),
  shrink: settings({ share: percent.prefault("50%"), reaction: reaction.default("warn") })
    .prefault({})
    .describe("Files or bytes fell by more than this share."),
  surge: settings({
    factor: z.number().min(1).default(10).describe("Times the usual."),
    reaction: reaction.default("warn"),
  })
    .prefault({})
    .describe("More new data than so many times the usual."),
  stale: settings({ after: duration.optional(), reaction: reaction.default("warn") })
    .prefault({})
    .describe("Nothing has changed for so long."),
}).meta({
  id: "expectation",
  description: "What makes a run incomplete, compared with those before it.",
});
export type Expectation = z.output<typeof expectation>;

const kinds = { files, configuration, command: commandSource, postgres };
export const SOURCE_KINDS: readonly string[] = Object.keys(kinds);

export const source = oneKind("a source", kinds, {
  snapshot: name
    .optional()
    .describe("A snapshotter's name: the source is read from a frozen view."),
  expect: expectation.prefault({}),
  tags: z.array(z.string()).default([]).describe("On its snapshots."),
  hooks: z.array(hook).default([]).describe("Around its capture."),
  retries: retries.prefault({}),
  timeout: duration.optional().describe("The capture is ended after so long."),
}).meta({ id: "source", description: "One thing to protect, of one kind." });
export type SourceSettings = z.output<typeof source>;
export type SettingsOfKind<Kind extends SourceSettings["kind"]> = Extract<
  SourceSettings,
  { readonly kind: Kind }
>["settings"];

/** A user's own way to freeze paths; see the contract in docs/reference/snapshotters.md. */
const commandSnapshotter = settings({
  create: command.describe("Freezes the paths."),
  remove: command.describe("Takes that back."),
  verify: command.optional().describe("Says whether the frozen state stayed whole."),
  timeout: duration.prefault("1m").describe("For each of them."),
}).meta({ id: "command-snapshotter", description: "Your own way to freeze paths." });
export const snapshotter = oneKind("a snapshotter", { command: commandSnapshotter }, {}).meta({
  id: "snapshotter",
  description: "How paths are frozen while a source is read, of one kind.",
});
export type SnapshotterSettings = z.output<typeof snapshotter>;
