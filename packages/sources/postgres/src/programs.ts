import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { ComebackError, type CommandRunner } from "@comeback/core";
import { findProgram } from "@comeback/platform";

/** PostgreSQL's programs of one version. */
export interface Programs {
  readonly folder: string;
  readonly major: number;
  readonly version: string;
}

/** Where Debian's and Red Hat's packages of several versions lie beside each other. */
const FOLDERS = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"];

export interface FindProgramsOptions {
  /** Looked into alone; everywhere if not given. */
  readonly folder?: string | undefined;
  readonly runner: CommandRunner;
  readonly signal: AbortSignal;
}

/** All versions of pg_dump that are there, the newest first. */
export async function findPrograms(options: FindProgramsOptions): Promise<Programs[]> {
  const { folder, runner, signal } = options;
  const folders = folder === undefined ? usualFolders() : [folder];
  const found: Programs[] = [];
  for (const each of folders) {
    if (findProgram(join(each, "pg_dump")) === undefined) continue;
    const argv = [join(each, "pg_dump"), "--version"] as const;
    const { stdout } = await runner.run({ argv, signal, env: { LC_ALL: "C" } });
    const version = /(\d+)(?:\.\d+)*/.exec(stdout);
    if (version === null) continue;
    found.push({ folder: each, major: Number(version[1]), version: version[0] });
  }
  return found.toSorted((a, b) => b.major - a.major);
}

function usualFolders(): string[] {
  const folders = FOLDERS.flatMap((pattern) => globSync(pattern));
  if (folders.length > 0) return folders;
  const inPath = findProgram("pg_dump");
  return inPath === undefined ? [] : [dirname(inPath)];
}

/**
 * The programs for a server of this major version: its own, or the next newer ones. Older ones
 * cannot dump it, and what much newer ones write may not go into a server of its version.
 */
export function programsFor(found: readonly Programs[], serverMajor: number): Programs {
  const fit = found.findLast(({ major }) => major >= serverMajor);
  if (fit !== undefined) return fit;
  const newest = found[0];
  const next = `install the package postgresql-client-${serverMajor}, or name the folder of newer programs with \`programs\``;
  if (newest === undefined) {
    throw new ComebackError("command.missing", "pg_dump is not installed", { next });
  }
  throw new ComebackError(
    "source.unavailable",
    `pg_dump ${newest.version} is too old for the server`,
    { why: `the server is PostgreSQL ${serverMajor}, and an older pg_dump refuses it`, next },
  );
}
