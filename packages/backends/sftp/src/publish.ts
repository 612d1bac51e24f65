import type { SftpClient } from "./sftp-client.ts";
import { hasStatus, SftpStatusError } from "./sftp-status-error.ts";

/** What `publish` rejects with where the name is taken. */
export class NameTaken extends Error {}

/** Publications under way in this process that need two steps, a look and a rename. */
const claimed: Set<string> = new Set();

/**
 * Gives a finished file its name, only if the name is free. A hard link does that in one step. The
 * protocol's own rename should too, and does on OpenSSH; some servers let it replace, so that it
 * comes second, after a look.
 */
export async function publish(
  client: SftpClient,
  temporary: string,
  path: string,
): Promise<{ temporaryIsLeft: boolean }> {
  if (client.has("hardlink@openssh.com")) {
    try {
      await client.link(temporary, path);
      return { temporaryIsLeft: true };
    } catch (error) {
      await throwUnlessOther(client, path, error);
    }
  }
  await renameToFreeName(client, temporary, path);
  return { temporaryIsLeft: false };
}

/** File systems without hard links give any of several answers; what counts is the name. */
async function throwUnlessOther(client: SftpClient, path: string, error: unknown): Promise<void> {
  if (!(error instanceof SftpStatusError)) throw error;
  if (await isThere(client, path)) throw new NameTaken(path, { cause: error });
}

/**
 * Two processes could both find the name free; but then both hold the same bytes, since names are
 * hashes of contents, except for a config: two `init`s at the same moment on such a server.
 */
async function renameToFreeName(
  client: SftpClient,
  temporary: string,
  path: string,
): Promise<void> {
  if (claimed.has(path) || (await isThere(client, path)) || claimed.has(path)) {
    throw new NameTaken(path);
  }
  claimed.add(path);
  try {
    await client.rename(temporary, path);
  } catch (error) {
    await throwUnlessOther(client, path, error);
    // OpenSSH's rename makes a link too, and so fails on FAT.
    if (!client.has("posix-rename@openssh.com")) throw error;
    await client.replace(temporary, path);
  } finally {
    claimed.delete(path);
  }
}

async function isThere(client: SftpClient, path: string): Promise<boolean> {
  try {
    await client.lstat(path);
    return true;
  } catch (error) {
    if (hasStatus(error, "noSuchFile")) return false;
    throw error;
  }
}
