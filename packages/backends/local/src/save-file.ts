import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { LOCAL_IO_SLICE_BYTES } from "@comeback/core";
import type { RepositoryFile } from "@comeback/core";
import { errorName, isNotSupported, syncFolder } from "./file-system.ts";
import type { FileSystem } from "./file-system.ts";
import { folderOf, pathOf } from "./layout.ts";
import type { LayoutModes } from "./layout.ts";
import { publish } from "./publish.ts";

export interface SaveRequest {
  readonly fileSystem: FileSystem;
  readonly root: string;
  readonly modes: LayoutModes;
  readonly file: RepositoryFile;
  readonly data: Uint8Array;
  readonly signal: AbortSignal | undefined;
  /** Rejects where the folder is no longer the repository that was opened. */
  assertSamePlace(): Promise<void>;
}

/**
 * Writes under a temporary name, makes it durable, publishes it, makes its name durable. After a
 * failure nothing of it is left.
 */
export async function saveFile(request: SaveRequest): Promise<void> {
  const { fileSystem, root, modes, file, data, signal } = request;
  const path = pathOf(root, file);
  await request.assertSamePlace();
  const { handle, temporary } = await createTemporary(request, path);
  let published = false;
  try {
    await writeDurably(handle, data, signal);
    signal?.throwIfAborted();
    await publish(fileSystem, temporary, path);
    published = true;
    await syncFolder(fileSystem, dirname(path));
    // Unmounted meanwhile, with another layout below: then it went there, and must not count.
    await request.assertSamePlace();
  } catch (error) {
    await fileSystem.unlink(temporary).catch(() => undefined);
    if (published) await fileSystem.unlink(path).catch(() => undefined);
    throw error;
  }
  // Against accidents only: some network file systems refuse it.
  await fileSystem.chmod(path, modes.file).catch(() => undefined);
}

/** restic and we pass over such names in every list, should a crash leave one behind. */
async function createTemporary(
  request: SaveRequest,
  path: string,
): Promise<{ handle: FileHandle; temporary: string }> {
  const { fileSystem, root, file } = request;
  const temporary = `${path}-tmp-${randomBytes(8).toString("hex")}`;
  try {
    return { handle: await fileSystem.open(temporary, "wx", 0o600), temporary };
  } catch (error) {
    if (errorName(error) !== "ENOENT" || file.type === "config") throw error;
  }
  // Copies of a repository through an object store come back without their empty folders.
  const folder = folderOf(root, file);
  await makeFolders(request, file.type === "pack" ? [dirname(folder), folder] : [folder]);
  return { handle: await fileSystem.open(temporary, "wx", 0o600), temporary };
}

/** Makes the folders that are missing, but none below a mount point that is bare by now. */
async function makeFolders(request: SaveRequest, folders: readonly string[]): Promise<void> {
  const { fileSystem, modes } = request;
  const made: string[] = [];
  try {
    await request.assertSamePlace();
    for (const folder of folders) {
      try {
        await fileSystem.mkdir(folder, { mode: modes.folder });
        made.push(folder);
      } catch (error) {
        if (errorName(error) !== "EEXIST") throw error;
      }
      await syncFolder(fileSystem, dirname(folder));
    }
    await request.assertSamePlace();
  } catch (error) {
    for (const folder of made.reverse()) {
      await fileSystem.rmdir(folder).catch(() => undefined);
    }
    throw error;
  }
}

/** Writes everything and makes it durable; the handle is closed in any case. */
async function writeDurably(
  handle: FileHandle,
  data: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for (let done = 0; done < data.byteLength;) {
      signal?.throwIfAborted();
      const slice = Math.min(data.byteLength - done, LOCAL_IO_SLICE_BYTES);
      const { bytesWritten } = await handle.write(data, done, slice, done);
      if (bytesWritten === 0) throw new Error("the file system took no more bytes");
      done += bytesWritten;
    }
    await handle.sync().catch((error: unknown) => {
      if (!isNotSupported(error)) throw error;
    });
  } finally {
    // A network file system may tell only now that its quota is used up.
    await handle.close();
  }
}
