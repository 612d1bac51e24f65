import { constants } from "node:fs";
import { ComebackError, fileTooShort, LOCAL_IO_SLICE_BYTES } from "@comeback/core";
import type { LoadOptions, RepositoryFile } from "@comeback/core";
import type { FileSystem } from "./file-system.ts";

/** Reads exactly the range asked for. */
export async function loadFile(
  fileSystem: FileSystem,
  path: string,
  file: RepositoryFile,
  options: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { offset = 0, signal } = options;
  signal?.throwIfAborted();
  // O_NONBLOCK: a fifo in place of a file must not hang the process.
  const handle = await fileSystem.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    let length = options.length;
    // A large length is believed only as far as the file reaches, before memory is taken for it.
    if (length === undefined || length === 0 || length > LOCAL_IO_SLICE_BYTES) {
      const stats = await handle.stat();
      if (!stats.isFile()) throw notAFile(path);
      const { size } = stats;
      length ??= Math.max(size - offset, 0);
      if (offset + length > size) throw fileTooShort(file, offset + length);
    }
    // Not from the buffer pool, so that it can be transferred; filled completely below.
    const target = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      signal?.throwIfAborted();
      const slice = Math.min(length - done, LOCAL_IO_SLICE_BYTES);
      const { bytesRead } = await handle.read(target, done, slice, offset + done);
      if (bytesRead === 0) throw fileTooShort(file, offset + length);
      done += bytesRead;
    }
    // Not a Buffer: its `slice` would share the memory, where a Uint8Array's copies.
    return new Uint8Array(target.buffer);
  } finally {
    await handle.close();
  }
}

/** A folder, fifo or device lies where a file of the repository should be. */
export function notAFile(path: string): ComebackError {
  return new ComebackError("backend.io", `${path} is not a regular file`, {
    next: "move it away, then run `comeback check`",
  });
}
