import { statfs } from "node:fs/promises";
import type { Backend } from "@comeback/core";
import { cachedBackend, type CachedBackend, defaultCacheDirectory } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { printableText } from "../terminal/printable.ts";

/** File systems that live elsewhere or in another process (linux/magic.h): reading them is slow. */
const REMOTE_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x517b, // SMB
  0x65735546, // FUSE: sshfs, rclone, s3fs
  0x01021997, // 9p
  0x00c36400, // Ceph
  0x5346414f, // AFS
  0x6b414653, // kAFS
  0x0bd00bd0, // Lustre
  0x73757245, // Coda
]);

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
    if (chosen === undefined && !(await isRemote(backend.location))) return undefined;
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

async function isRemote(location: string): Promise<boolean> {
  if (!location.startsWith("/")) return true;
  try {
    return REMOTE_FILE_SYSTEMS.has((await statfs(location)).type);
  } catch {
    return true;
  }
}
