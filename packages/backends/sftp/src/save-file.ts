import { randomBytes } from "node:crypto";
import { PACE_SLICE_MAX_BYTES, SFTP_BYTES_IN_FLIGHT_MAX } from "@comeback/core";
import type { RepositoryFile, TransferPace } from "@comeback/core";
import { inLanes } from "./in-lanes.ts";
import { folderOf, parentOf, pathOf } from "./layout.ts";
import type { LayoutModes } from "./layout.ts";
import { OpenFlag } from "./packet-writer.ts";
import { publish } from "./publish.ts";
import type { FileSystemSpace } from "./sftp-client.ts";
import type { SftpSession } from "./sftp-session.ts";
import { hasStatus, SftpStatusError } from "./sftp-status-error.ts";

export interface SaveRequest {
  readonly session: SftpSession;
  readonly root: string;
  readonly modes: LayoutModes;
  readonly file: RepositoryFile;
  readonly data: Uint8Array;
  readonly pace: TransferPace | undefined;
  readonly signal: AbortSignal | undefined;
  /** The server makes the entries of a folder durable when it is asked to. */
  readonly canSyncFolders: boolean;
  /** Rejects where the repository is not there any more. */
  assertThere(): Promise<void>;
  /** Told of temporary files that could not be removed. */
  onLeftOver(path: string): void;
  /** Told how much was free right after a write failed. */
  onSpace(space: FileSystemSpace): void;
}

/**
 * Writes under a temporary name, makes it durable, publishes it, makes its name durable. After a
 * failure nothing of it is left, unless the connection is gone: then the next one removes it.
 */
export async function saveFile(request: SaveRequest): Promise<void> {
  const { session, root, file, signal } = request;
  const { client } = session;
  const path = pathOf(root, file);
  const temporary = `${path}-tmp-${randomBytes(8).toString("hex")}`;
  const handle = await createTemporary(request, temporary);
  let published = false;
  try {
    await writeDurably(request, handle);
    signal?.throwIfAborted();
    const { temporaryIsLeft } = await publish(client, temporary, path);
    published = true;
    await Promise.all([
      // A second name that cannot be removed is only litter, and skipped by every list.
      temporaryIsLeft ? client.remove(temporary).catch(ignoreStatus) : undefined,
      request.canSyncFolders ? syncFolder(session, parentOf(path)) : undefined,
    ]);
  } catch (error) {
    // Before anything is removed: that frees what was missing.
    await noteSpace(request, error);
    if (published) await client.remove(path).catch(() => undefined);
    await client.remove(temporary).catch((cause: unknown) => {
      if (!hasStatus(cause, "noSuchFile")) request.onLeftOver(temporary);
    });
    throw error;
  }
}

async function createTemporary(request: SaveRequest, temporary: string): Promise<Uint8Array> {
  const { root, file, session, modes, onLeftOver } = request;
  const flags = OpenFlag.write | OpenFlag.create | OpenFlag.exclusive;
  const open = async (): Promise<Uint8Array> => {
    try {
      return await session.client.open(temporary, flags, modes.file);
    } catch (error) {
      // Without an answer it may have been made nevertheless.
      if (error instanceof SftpStatusError) await noteSpace(request, error);
      else onLeftOver(temporary);
      throw error;
    }
  };
  try {
    return await open();
  } catch (error) {
    if (!hasStatus(error, "noSuchFile") || file.type === "config") throw error;
  }
  // Copies of a repository through an object store come back without their empty folders.
  await request.assertThere();
  const folder = folderOf(root, file);
  for (const missing of file.type === "pack" ? [parentOf(folder), folder] : [folder]) {
    await makeFolder(request, missing);
  }
  return await open();
}

async function makeFolder(request: SaveRequest, folder: string): Promise<void> {
  const { session, modes, canSyncFolders } = request;
  try {
    await session.client.makeFolder(folder, modes.folder);
  } catch (error) {
    // What is there already is a failure too, and shows when the file is made.
    if (!hasStatus(error, "failure")) throw error;
    return;
  }
  // The server's mask may have taken the group's bits.
  await session.client.setMode(folder, modes.folder).catch(() => undefined);
  if (canSyncFolders) await syncFolder(session, parentOf(folder));
}

/**
 * Writes everything and makes it durable; the handle is closed in any case. The last requests are
 * sent without waiting for the writes before them, since a server carries out what concerns one
 * file in the order in which it comes; every answer is waited for.
 */
async function writeDurably(request: SaveRequest, handle: Uint8Array): Promise<void> {
  const { session, data, pace, signal, modes } = request;
  const { client, writeBytes } = session;
  const last: Promise<void>[] = [];
  const finish = (): void => {
    // The server's mask may have taken the group's bits; some servers know no modes.
    last.push(client.setHandleMode(handle, modes.file).catch(ignoreStatus));
    if (client.has("fsync@openssh.com")) last.push(client.sync(handle).catch(ignoreUnsupported));
    last.push(client.close(handle));
  };
  const sliceBytes = pace === undefined ? writeBytes : Math.min(writeBytes, PACE_SLICE_MAX_BYTES);
  const count = Math.ceil(data.byteLength / sliceBytes);
  const lanes = Math.max(1, Math.floor(SFTP_BYTES_IN_FLIGHT_MAX / sliceBytes));
  const sliceAt = (index: number): Uint8Array =>
    data.subarray(index * sliceBytes, (index + 1) * sliceBytes);
  const mayBegin =
    pace && ((index: number, stop: AbortSignal) => pace(sliceAt(index).byteLength, stop));
  try {
    await inLanes({ count, lanes, signal, mayBegin }, async (index) => {
      const written = client.write(handle, index * sliceBytes, sliceAt(index));
      if (index === count - 1) finish();
      await written;
    });
    if (count === 0) finish();
  } catch (error) {
    if (last.length === 0) await client.close(handle).catch(() => undefined);
    await Promise.allSettled(last);
    throw error;
  }
  const outcomes = await Promise.allSettled(last);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

function ignoreStatus(error: unknown): void {
  if (!(error instanceof SftpStatusError)) throw error;
}

/** File systems without an fsync: EINVAL is a bad message to OpenSSH, ENOSYS unsupported. */
function ignoreUnsupported(error: unknown): void {
  if (!hasStatus(error, "unsupported", "badMessage")) throw error;
}

/**
 * Makes a folder's entries durable: on OpenSSH's server a folder can be opened like a file, and
 * `fsync@openssh.com` is the system's own fsync.
 */
export async function syncFolder(session: SftpSession, folder: string): Promise<void> {
  const { client } = session;
  const handle = await client.open(folder === "" ? "." : folder, OpenFlag.read);
  const synced = client.sync(handle);
  await Promise.allSettled([synced, client.close(handle)]);
  await synced;
}

async function noteSpace(request: SaveRequest, error: unknown): Promise<void> {
  const { client } = request.session;
  if (!hasStatus(error, "failure") || !client.has("statvfs@openssh.com")) return;
  const folder = folderOf(request.root, request.file);
  const space = await client.space(folder).catch(() => undefined);
  if (space !== undefined) request.onSpace(space);
}
