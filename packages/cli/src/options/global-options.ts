import type { Command, OptionValues } from "commander";
import { PACK_SIZE_MAX_BYTES, PACK_SIZE_MIN_BYTES } from "@comeback/core";
import { fromEnvironment } from "./environment-names.ts";
import { badUsage } from "./option-error.ts";
import {
  hotLocation,
  type PasswordPlace,
  passwordPlace,
  type RepositoryPlace,
  repositoryPlace,
} from "./places.ts";
import {
  addStorageOptions,
  resolveStorageOptions,
  type StorageOptions,
} from "./storage-options.ts";
import { parseChoice, parseDurationMs, parseInteger } from "./parse-values.ts";

const MiB = 1024 * 1024;
const COMPRESSION_MODES = ["auto", "off", "fastest", "better", "max"] as const;

/** What every command that opens a repository is told. */
export interface GlobalOptions {
  readonly repository: RepositoryPlace | undefined;
  /** Where the hot part of the repository is, which then is the cold one. */
  readonly hotRepository: string | undefined;
  readonly password: PasswordPlace;
  /** The file of `--config`. */
  readonly configurationPath: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  /** How often -v was given: 0, 1 or 2. */
  readonly verbosity: number;
  readonly useCache: boolean;
  readonly cacheDirectory: string | undefined;
  readonly useLock: boolean;
  readonly retryLockMs: number;
  readonly compression: (typeof COMPRESSION_MODES)[number];
  readonly packSizeBytes: number | undefined;
  readonly verifyBlobs: boolean;
  readonly storage: StorageOptions;
}

/** The heading of these options in every help text. */
export const GLOBAL_OPTIONS_TITLE = "Repository and output, for every command:";

/** Declares the flags; on subcommands too, so that `-xv` and `backup -r X` are understood. */
export function addGlobalOptions(command: Command): Command {
  const count = (_: string, before: number): number => before + 1;
  command
    .optionsGroup(GLOBAL_OPTIONS_TITLE)
    .option("-r, --repo <repository>", "the repository, or a destination's name")
    .option("--repo-hot <repository>", "its hot part: what is read often is there as well")
    .option("--repository-file <file>", "file that holds its location")
    .option("-p, --password-file <file>", "file that holds the password")
    .option("--password-command <command>", "command that prints the password")
    .option("--config <file>", "the configuration, where it is in no usual place")
    .option("--json", "print JSON, in restic's shapes")
    .option("-q, --quiet", "print problems only")
    .option("-v, --verbose", "say more; -vv names every file", count, 0)
    .option("--no-cache", "use no local cache")
    .option("--cache-dir <folder>", "folder for the local cache")
    .option("--no-lock", "take no lock: for read-only storage")
    .option("--read-only", "change nothing in the storage; takes no lock")
    .option("--retry-lock <duration>", "wait for others' locks, such as 5m")
    .option("--compression <mode>", "auto, off, fastest, better or max")
    .option("--pack-size <MiB>", "size of pack files; 16 if not given")
    .option("--no-extra-verify", "trust blobs without opening them again");
  return addStorageOptions(command);
}

/** `--verbose=2` is restic's other way to write `-vv`. */
export function expandVerboseCount(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.flatMap((arg, place) => {
    const count = /^--verbose=(\d)$/.exec(arg)?.[1];
    if (count === undefined || (end !== -1 && place > end)) return [arg];
    return Array.from({ length: Number(count) }, () => "--verbose");
  });
}

/** Flags that were given before or behind the command's name, put together. */
export function givenFlags(command: Command): OptionValues {
  const flags: OptionValues = {};
  const levels = command.parent === null ? [command] : [command.parent, command];
  for (const level of levels) {
    for (const [name, value] of Object.entries(level.opts())) {
      const given = level.getOptionValueSource(name) === "cli";
      const before: unknown = flags[name];
      if (name === "verbose") flags[name] = Number(before ?? 0) + Number(value);
      else if (Array.isArray(before) && Array.isArray(value)) flags[name] = [...before, ...value];
      else if (given || !(name in flags)) flags[name] = value;
    }
  }
  return flags;
}

/** Flags and environment as one, checked. */
export function resolveGlobalOptions(flags: OptionValues, env: NodeJS.ProcessEnv): GlobalOptions {
  const text = (name: string): string | undefined => flags[name] as string | undefined;
  if (flags["quiet"] === true && Number(flags["verbose"]) > 0) {
    throw badUsage("--quiet and --verbose contradict each other", "leave one of them out");
  }
  exclusive(flags, ["repo", "--repo"], ["repositoryFile", "--repository-file"]);
  exclusive(flags, ["passwordFile", "--password-file"], ["passwordCommand", "--password-command"]);
  const retryLock = text("retryLock");
  const packSize = text("packSize") ?? fromEnvironment(env, "PACK_SIZE");
  const compression = text("compression") ?? fromEnvironment(env, "COMPRESSION") ?? "auto";
  return {
    repository: repositoryPlace(flags, env),
    hotRepository: hotLocation(flags, env),
    password: passwordPlace(flags, env),
    configurationPath: text("config"),
    json: flags["json"] === true,
    quiet: flags["quiet"] === true,
    verbosity: Math.min(2, Number(flags["verbose"] ?? 0)),
    useCache: flags["cache"] !== false,
    cacheDirectory: text("cacheDir") ?? fromEnvironment(env, "CACHE_DIR"),
    useLock: flags["lock"] !== false && flags["readOnly"] !== true,
    retryLockMs: retryLock === undefined ? 0 : parseDurationMs("--retry-lock", retryLock),
    compression: parseChoice("--compression", compression, COMPRESSION_MODES),
    packSizeBytes:
      packSize === undefined
        ? undefined
        : MiB *
          parseInteger("--pack-size", packSize, {
            min: PACK_SIZE_MIN_BYTES / MiB,
            max: PACK_SIZE_MAX_BYTES / MiB,
          }),
    verifyBlobs: flags["extraVerify"] !== false,
    storage: resolveStorageOptions(flags, env),
  };
}

function exclusive(flags: OptionValues, a: [string, string], b: [string, string]): void {
  if (flags[a[0]] === undefined || flags[b[0]] === undefined) return;
  throw badUsage(`${a[1]} and ${b[1]} are two answers to one question`, "leave one of them out");
}
