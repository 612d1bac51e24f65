import type { HandlersFor } from "../cpu-pool/worker-context.ts";
import { encodeIndex } from "./encode-index.ts";
import { followTrees } from "./follow-trees.ts";
import { openBoxes } from "./open-boxes.ts";
import type { PruneTasks } from "./tasks.ts";

export const pruneHandlers: HandlersFor<PruneTasks> = {
  "prune.trees": followTrees,
  "prune.boxes": openBoxes,
  "prune.index": encodeIndex,
};
