import { assert } from "@comeback/core";
import type { HandlersFor, TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { findReferences } from "./find-references.ts";
import type { CheckTasks } from "./tasks.ts";
import { verifyPack } from "./verify-pack.ts";

/** The context makes its parts when they are asked for first. */
function prepare({ codec, table }: WorkerContext): TaskResult<null> {
  assert(codec.cipher !== undefined && table.count >= 0, "a worker has its parts");
  return { output: null };
}

export const checkHandlers: HandlersFor<CheckTasks> = {
  "check.prepare": prepare,
  "check.pack": verifyPack,
  "check.references": findReferences,
};
