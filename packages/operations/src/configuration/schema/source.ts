import { z } from "zod";
import { hook } from "./action.ts";
import { oneKind, settings } from "./settings.ts";
import { command, duration, listOf, name, percent, retries, size, textOrSecret } from "./values.ts";

const paths = listOf(z.string().startsWith("/", "a path is absolute: it starts with /"));
const patterns = listOf(z.string()).default([]);

const fileOptions = {
  exclude: patterns,
  iexclude: patterns,
  "exclude-file": patterns,
  "exclude-caches": z.boolean().default(false),
  "exclude-if-present": patterns,
  "exclude-larger-than": size.optional(),
  "one-file-system": z.boolean().default(false),
  "with-atime": z.boolean().default(false),
  "ignore-inode": z.boolean().default(false),
  "ignore-ctime": z.boolean().default(false),
};

const filesSettings = settings({ paths, ...fileOptions });
/** A path, a list of paths, or a mapping with `paths` and what is left out. */
const files = z
  .union([filesSettings, paths])
  .transform((given) =>
    Array.isArray(given) ? filesSettings.parse({ paths: given }) : given,
  ) as unknown as z.ZodType<z.output<typeof filesSettings>>;

/** What is needed to set a machine up again: files, and what programs tell of it. */
const configuration = settings({
  paths: paths.default(["/etc"]),
  ...fileOptions,
  /** Named reports: package-list, disk-layout, crontabs, firewall, network, services. */
  reports: z
    .array(z.enum(["packages", "disks", "crontabs", "firewall", "network", "services", "mounts"]))
    .default(["packages", "disks", "crontabs", "firewall", "network", "services", "mounts"]),
  /** More output to keep: a file name, and the command that prints it. */
  commands: z.record(name, command).default({}),
});

/** A program whose standard output is kept as a file. */
const commandSource = settings({
  run: command,
  /** The file's path in the snapshot. */
  filename: z.string().min(1),
  environment: z.record(z.string(), textOrSecret).default({}),
  /** Exit codes that mean that all went well. */
  "exit-codes": listOf(z.number().int().min(0).max(255)).default([0]),
  timeout: duration.optional(),
});

/** Logical dumps of a cluster: each database in pg_dump's custom format, and the globals. */
const postgres = settings({
  /** "postgres://user@host:5432/postgres"; without a password in it. The local server by default. */
  url: textOrSecret.optional(),
  password: textOrSecret.optional(),
  /** All that allow connections if not given. */
  databases: listOf(z.string()).optional(),
  exclude: listOf(z.string()).default([]),
  globals: z.boolean().default(true),
  /** The folder of pg_dump, where it is not the newest one found. */
  programs: z.string().startsWith("/").optional(),
  /** Runs the programs as this user of the system: "postgres" for peer authentication. */
  "run-as": z.string().optional(),
});

const reaction = z.enum(["fail", "warn", "ignore"]);

/** What makes a run incomplete, compared with those before it. */
export const expectation = settings({
  /** A database, a path, a volume that was there is not there any more. */
  vanished: reaction.default("fail"),
  /** Files or bytes fell by more than this share. */
  shrink: settings({ share: percent.default(0.5), then: reaction.default("warn") }).prefault({}),
  /** More new data than so many times the usual. */
  surge: settings({
    factor: z.number().min(1).default(10),
    then: reaction.default("warn"),
  }).prefault({}),
  /** Nothing has changed for so long. */
  stale: settings({ after: duration.optional(), then: reaction.default("warn") }).prefault({}),
});
export type Expectation = z.output<typeof expectation>;

export const source = oneKind(
  "a source",
  { files, configuration, command: commandSource, postgres },
  {
    /** A snapshotter's name: the source is read from a frozen view. */
    snapshot: name.optional(),
    expect: expectation.prefault({}),
    tags: z.array(z.string()).default([]),
    hooks: z.array(hook).default([]),
    retries: retries.prefault({}),
    /** The capture is ended after so long. */
    timeout: duration.optional(),
  },
);
export type SourceSettings = z.output<typeof source>;
export type SettingsOfKind<Kind extends SourceSettings["kind"]> = Extract<
  SourceSettings,
  { readonly kind: Kind }
>["settings"];

/** A user's own way to freeze paths; see the contract in docs/reference/snapshotters.md. */
const commandSnapshotter = settings({
  create: command,
  remove: command,
  verify: command.optional(),
  timeout: duration.default(60_000),
});
export const snapshotter = oneKind("a snapshotter", { command: commandSnapshotter }, {});
export type SnapshotterSettings = z.output<typeof snapshotter>;
