import {
  type ByteString,
  ComebackError,
  displayText,
  type Environment,
  type Source,
  type SourceOpenOptions,
  type SourceSession,
} from "@comeback/core";
import { AT_FDCWD, statAtIfExists, isSystemCallError } from "@comeback/platform";
import { type EntryRuleOptions, entryRules } from "./entry-rules.ts";
import { FilesSession } from "./files-session.ts";
import { collectTargets, type TargetListOptions } from "./target-lists.ts";
import { absolutePath, workingFolder } from "./working-folder.ts";

export type FilesSourceOptions = TargetListOptions &
  EntryRuleOptions & {
    /** For `$PWD` and the variables in exclude files; default: this process's. */
    readonly environment?: Environment;
    /**
     * Where an absolute path is to be read (a snapshot's mount), the path in the backup staying as
     * it is; `undefined` for what is read at its own place.
     */
    readonly readAt?: (path: ByteString) => ByteString | undefined;
  };

/**
 * Local files and folders. Reads the lists and pattern files at once, and throws where an option
 * makes no sense (`option.invalid`) or no target exists (`backup.no-source`). Targets that are
 * missing while others exist are reported by each session.
 */
export function createFilesSource(options: FilesSourceOptions): Source {
  const environment = options.environment ?? process.env;
  const folder = { ...workingFolder(environment), readAt: options.readAt };
  const { targets, unmatched } = collectTargets(options);
  if (targets.length === 0 && unmatched.length === 0) throw nothingNamed();
  const { existing = [], missing = [] } = Object.groupBy(targets, (target) =>
    isThere(folder.readAt?.(target) ?? target) ? "existing" : "missing",
  );
  if (existing.length === 0) throw nothingThere([...missing, ...unmatched]);
  const where = existing.map((target) => absolutePath(target, folder));
  const rules = entryRules(options, where, environment);
  return {
    paths: where.map(({ path }) => displayText(path)),
    // restic records the patterns of the command line only.
    excludes: (options.exclude ?? []).map(displayText),
    async open(open: SourceOpenOptions): Promise<SourceSession> {
      for (const target of missing) {
        const { path } = absolutePath(target, folder);
        open.onProblem({ path, during: "stat", message: "does not exist" });
      }
      for (const pattern of unmatched) {
        open.onProblem({ path: pattern, during: "stat", message: "matches no file" });
      }
      return new FilesSession({ targets: existing, rules, folder, open });
    },
  };
}

/**
 * True also for what cannot be looked at: the walk reports it with the reason. Below a file there
 * is nothing, though restic gives up there.
 */
function isThere(target: ByteString): boolean {
  try {
    return statAtIfExists(AT_FDCWD, target) !== undefined;
  } catch (error) {
    if (isSystemCallError(error)) return error.code !== "ENOTDIR";
    throw error;
  }
}

function nothingNamed(): ComebackError {
  return new ComebackError("backup.no-source", "nothing to back up was named", {
    next: "name files or folders, or a list of them with --files-from",
  });
}

function nothingThere(missing: readonly ByteString[]): ComebackError {
  return new ComebackError("backup.no-source", "none of the files and folders exists", {
    why: `not found: ${missing.slice(0, 10).map(displayText).join(", ")}`,
    next: "check the paths; nothing was backed up",
  });
}
