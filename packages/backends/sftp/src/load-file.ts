import { fileTooShort, PACE_SLICE_MAX_BYTES, SFTP_BYTES_IN_FLIGHT_MAX } from "@comeback/core";
import type { LoadOptions, RepositoryFile, TransferPace } from "@comeback/core";
import { inLanes } from "./in-lanes.ts";
import { isRegularFile } from "./packet-reader.ts";
import { OpenFlag } from "./packet-writer.ts";
import { notAFile } from "./sftp-errors.ts";
import type { SftpSession } from "./sftp-session.ts";

/** Reads exactly the range asked for. */
export async function loadFile(
  session: SftpSession,
  path: string,
  file: RepositoryFile,
  options: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { client } = session;
  const { offset = 0, pace, signal } = options;
  const handle = await client.open(path, OpenFlag.read);
  try {
    let length = options.length;
    // A large length is believed only as far as the file reaches, before memory is taken for it.
    if (length === undefined || length === 0 || length > SFTP_BYTES_IN_FLIGHT_MAX) {
      const attributes = await client.fstat(handle);
      if (!isRegularFile(attributes)) throw notAFile(path);
      const size = attributes.sizeBytes ?? 0;
      length ??= Math.max(size - offset, 0);
      if (offset + length > size) throw fileTooShort(file, offset + length);
    }
    signal?.throwIfAborted();
    // Not from the buffer pool, so that it can be transferred; filled completely below.
    const target = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    await readAll({ session, handle, offset, target, file, pace, signal });
    return target;
  } finally {
    // Nothing was written: what it answers makes no difference, and nobody waits for it.
    void client.close(handle).catch(() => undefined);
  }
}

interface ReadRequest {
  readonly session: SftpSession;
  readonly handle: Uint8Array;
  readonly offset: number;
  readonly target: Uint8Array;
  readonly file: RepositoryFile;
  readonly pace: TransferPace | undefined;
  readonly signal: AbortSignal | undefined;
}

async function readAll(request: ReadRequest): Promise<void> {
  const { session, handle, offset, target, file, pace, signal } = request;
  const { readBytes } = session;
  const sliceBytes = pace === undefined ? readBytes : Math.min(readBytes, PACE_SLICE_MAX_BYTES);
  const count = Math.ceil(target.byteLength / sliceBytes);
  const lanes = Math.max(1, Math.floor(SFTP_BYTES_IN_FLIGHT_MAX / sliceBytes));
  const endOf = (index: number): number => Math.min((index + 1) * sliceBytes, target.byteLength);
  // A server sends nothing that it was not asked for: so the asking is what is held back.
  const mayBegin =
    pace && ((index: number, stop: AbortSignal) => pace(endOf(index) - index * sliceBytes, stop));
  await inLanes({ count, lanes, signal, mayBegin }, async (index) => {
    const end = endOf(index);
    // A server may send less than was asked for.
    for (let at = index * sliceBytes; at < end;) {
      const bytesRead = await session.client.read(handle, offset + at, target.subarray(at, end));
      if (bytesRead === 0) throw fileTooShort(file, offset + target.byteLength);
      at += bytesRead;
    }
  });
}
