import type { HandlersFor } from "../cpu-pool/worker-context.ts";
import { findUsers, readTrees } from "./read-trees.ts";
import { flushPackers, resealBlobs } from "./reseal-blobs.ts";
import type { CopyTasks } from "./tasks.ts";

export const copyHandlers: HandlersFor<CopyTasks> = {
  "copy.trees": readTrees,
  "copy.users": findUsers,
  "copy.blobs": resealBlobs,
  "copy.flush": flushPackers,
};
