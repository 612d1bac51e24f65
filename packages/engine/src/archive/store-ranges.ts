import { close, readInto, statFd } from "@comeback/platform";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { openForReading } from "./open-for-reading.ts";
import { BlobStorer } from "./store-blobs.ts";
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
  const fd = openForReading(input.path);
  try {
    const cuts = context.chunker.findCuts({
      read: (target, position) => readInto(fd, target, 0, target.length, position),
      from: input.from,
      to: input.sizeBytes,
      budgetBytes: input.budgetBytes,
    });
    return { output: { cuts } };
  } finally {
    close(fd);
  }
}

/** The task "archive.ranges". A file that became shorter gives shorter chunks, or none. */
export function storeRanges(
  context: WorkerContext,
  input: StoreRangesInput,
): TaskResult<StoreRangesOutput> {
  const storer = new BlobStorer(context, input.spare);
  const arena = context.chunker.input;
  const fd = openForReading(input.path);
  try {
    let start = input.from;
    let bytesRead = 0;
    for (const end of input.cuts) {
      const wanted = end - start;
      let length = 0;
      while (length < wanted) {
        const read = readInto(fd, arena, length, wanted - length, start + length);
        if (read === 0) break;
        length += read;
      }
      if (length > 0) storer.store(arena.subarray(0, length));
      bytesRead += length;
      start = end;
    }
    const output = { ...storer.result, bytesRead, status: statFd(fd) };
    return { output, transfer: storer.transfer };
  } finally {
    close(fd);
  }
}

/** The task "archive.chunks": chunks that came by message instead of from a file. */
export function storeChunks(
  context: WorkerContext,
  input: StoreChunksInput,
): TaskResult<StoredBlobs> {
  const storer = new BlobStorer(context, input.spare);
  let start = 0;
  for (const end of input.cuts) {
    storer.store(input.data.subarray(start, end));
    start = end;
  }
  return { output: storer.result, transfer: storer.transfer };
}
