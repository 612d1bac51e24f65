import type { HandlersFor, TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import type { OpenPack } from "../pack/packer.ts";
import { storeFiles } from "./store-files.ts";
import { scanRange, storeChunks, storeRanges } from "./store-ranges.ts";
import type { ArchiveTasks } from "./tasks.ts";

function flush(context: WorkerContext): TaskResult<OpenPack | undefined> {
  const open = context.packer.take();
  return { output: open, transfer: open === undefined ? [] : [open.buffer, open.entries.buffer] };
}

export const archiveHandlers: HandlersFor<ArchiveTasks> = {
  "archive.files": storeFiles,
  "archive.scan": scanRange,
  "archive.ranges": storeRanges,
  "archive.chunks": storeChunks,
  "archive.flush": flush,
};
