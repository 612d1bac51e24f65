import {
  type BackupOptions,
  checkpointFile,
  defaultCacheDirectory,
  findCheckpoint,
  type Repository,
  type Snapshot,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { printableText } from "../terminal/printable.ts";

/** Where a backup leaves its checkpoints, and the one that it goes on from. */
export type KeptCheckpoint = Pick<BackupOptions, "checkpoint" | "resumeFrom">;

/**
 * The checkpoints of a backup, in the folder of the cache; `undefined` with --no-cache. With --force
 * every file is read, so an earlier one is not looked at.
 */
export async function checkpointOf(
  { globals, env, clock, terminal }: CommandContext,
  repository: Repository,
  backup: {
    readonly hostname: string;
    readonly paths: readonly string[];
    readonly parent: Snapshot | undefined;
    readonly isForced: boolean;
  },
): Promise<KeptCheckpoint | undefined> {
  if (!globals.useCache) return undefined;
  const { isForced, ...which } = backup;
  const store = checkpointFile({
    ...which,
    directory: globals.cacheDirectory ?? defaultCacheDirectory(env),
    repositoryId: repository.config.id,
    clock,
    onWarning: (error) => {
      if (globals.json || globals.quiet) return;
      terminal.printError(printableText(`warning: ${error.message}: ${error.why ?? ""}`));
    },
  });
  // For tests only: nobody waits five minutes there.
  const milliseconds = Number(env["COMEBACK_TEST_CHECKPOINT_MS"]);
  return {
    checkpoint: { store, intervalMs: milliseconds > 0 ? milliseconds : undefined },
    resumeFrom: isForced ? undefined : await findCheckpoint(repository, { store, ...which }),
  };
}
