import { readInto } from "@comeback/platform";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { BlobStorer } from "./store-blobs.ts";
import { reasonOf } from "./store-files.ts";
import type {
  ScanInput,
  ScanOutput,
  StoreChunksInput,
  StoredBlobs,
  StoreRangesInput,
  StoreRangesOutput,
} from "./tasks.ts";

/** The task "archive.scan": where the next chunks of a large file end. */
export function scanRange(context: WorkerContext, input: ScanInput): TaskResult<ScanOutput> {
  const { fd, from, sizeBytes, budgetBytes } = input;
  try {
    const cuts = context.chunker.findCuts({
      read: (target, position) => readInto(fd, target, 0, target.length, position),
      from,
      to: sizeBytes,
      budgetBytes,
    });
    return { output: { cuts } };
  } catch (error) {
    return { output: { cuts: [], problem: reasonOf(error) } };
  }
}

/** The task "archive.ranges". A file that became shorter gives shorter chunks, or none. */
export function storeRanges(
  context: WorkerContext,
  input: StoreRangesInput,
): TaskResult<StoreRangesOutput> {
  const storer = new BlobStorer(context);
  let bytesRead = 0;
  let problem: { problem?: string } = {};
  try {
    let start = input.from;
    for (const end of input.cuts) {
      const length = readRange(input.fd, context.chunker.input, start, end - start);
      if (length > 0) storer.store(context.chunker.input.subarray(0, length));
      bytesRead += length;
      start = end;
    }
  } catch (error) {
    problem = { problem: reasonOf(error) };
  }
  return { output: { ...storer.result, bytesRead, ...problem }, transfer: storer.transfer };
}

/** Reads `wanted` bytes from `position`, or fewer where the file ends before. */
function readRange(fd: number, target: Uint8Array, position: number, wanted: number): number {
  let length = 0;
  while (length < wanted) {
    const read = readInto(fd, target, length, wanted - length, position + length);
    if (read === 0) break;
    length += read;
  }
  return length;
}

/** The task "archive.chunks": chunks that came by message instead of from a file. */
export function storeChunks(
  context: WorkerContext,
  input: StoreChunksInput,
): TaskResult<StoredBlobs> {
  const storer = new BlobStorer(context);
  let start = 0;
  for (const end of input.cuts) {
    storer.store(input.data.subarray(start, end));
    start = end;
  }
  return { output: storer.result, transfer: storer.transfer };
}
