import type { Backend } from "@comeback/core";
import { cachedBackend, type CachedBackend, defaultCacheDirectory } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { printableText } from "../terminal/printable.ts";

/**
 * The cache that stands before the repository. A repository on a disk of this machine gets none:
 * a copy beside it would cost writing and save nothing.
 */
export function openCache(
  context: CommandContext,
): (backend: Backend, repositoryId: string) => Promise<CachedBackend | undefined> {
  const { globals, env, clock, terminal } = context;
  return async (backend, repositoryId) => {
    const chosen = globals.cacheDirectory;
    if (chosen === undefined && !backend.isRemote) return undefined;
    return cachedBackend(backend, {
      directory: chosen ?? defaultCacheDirectory(env),
      repositoryId,
      clock,
      onWarning: (error) => {
        if (globals.json || globals.quiet) return;
        terminal.printError(printableText(`warning: ${error.message}: ${error.why ?? ""}`));
      },
    });
  };
}
