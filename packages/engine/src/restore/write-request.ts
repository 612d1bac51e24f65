import { contentLength, type FileWindow } from "./file-window.ts";
import { encodeFiles } from "./file-columns.ts";
import type { PackRange } from "./plan-ranges.ts";
import type { PlannedFile } from "./planned-file.ts";
import type { RestoreRun } from "./restore-run.ts";
import { BLOB_COLUMNS, type RestoreSession, type WriteInput } from "./tasks.ts";

/** A range with the files that it writes into. */
export interface WriteRequest {
  /** In the order of the message. */
  readonly files: readonly PlannedFile[];
  readonly input: WriteInput;
  /** Bytes that all uses together come to. */
  readonly contentBytes: number;
}

/** Puts a range into a message for a worker. `fileOfUse` gives the file of each of its uses. */
export function writeRequest(
  { session, repository }: RestoreRun,
  window: FileWindow,
  fileOfUse: (use: number) => PlannedFile,
  range: PackRange,
  data: Uint8Array<ArrayBuffer>,
): WriteRequest {
  const { table } = repository.index;
  const blobs = new Uint32Array(range.blobs.length * BLOB_COLUMNS);
  const ids = new Uint8Array(range.blobs.length * 32);
  const uses: number[] = [];
  const slots = new Map<PlannedFile, number>();
  let contentBytes = 0;
  for (const [i, blob] of range.blobs.entries()) {
    const { offset, length, uncompressedLength } = blob.location;
    const usesBefore = uses.length;
    for (const use of blob.uses) {
      const file = fileOfUse(use);
      // It could not be opened, or failed meanwhile.
      if (file.isSettled || (file.loss !== undefined && file.fd < 0)) continue;
      let slot = slots.get(file);
      if (slot === undefined) {
        slot = slots.size;
        slots.set(file, slot);
        file.uses = 0;
      }
      file.uses++;
      uses.push(slot, window.offsets[use] as number);
    }
    const useCount = (uses.length - usesBefore) / 2;
    blobs.set([offset - range.offset, length, uncompressedLength, useCount], i * BLOB_COLUMNS);
    table.idBytesOf(blob.entry, ids.subarray(i * 32));
    contentBytes += contentLength(blob.location) * useCount;
  }
  const files = [...slots.keys()];
  const input = {
    session,
    ...encodeFiles(files, directoryPath(files)),
    data,
    blobs,
    ids,
    uses: Float64Array.from(uses),
  };
  return { files, input, contentBytes };
}

/** A message for files that need no blobs. */
export function requestWithoutBlobs(
  session: RestoreSession,
  files: readonly PlannedFile[],
): WriteInput {
  for (const file of files) file.uses = 0;
  return {
    session,
    ...encodeFiles(files, directoryPath(files)),
    data: new Uint8Array(0),
    blobs: new Uint32Array(0),
    ids: new Uint8Array(0),
    uses: new Float64Array(0),
  };
}

/** What of a message moves to the worker instead of being copied. */
export function transferOf({ files, data, blobs, ids, uses }: WriteInput): ArrayBuffer[] {
  return [files.numbers.buffer, data.buffer, blobs.buffer, ids.buffer, uses.buffer];
}

function directoryPath(files: readonly PlannedFile[]): (index: number) => string {
  return (index) => (files[index] as PlannedFile).directory.path;
}
