import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import type { CheckPackInput, CheckPackOutput } from "./tasks.ts";

export const checkHandlers = {
  "check.pack": (_context: WorkerContext, _input: CheckPackInput): TaskResult<CheckPackOutput> => {
    throw new Error("not written yet");
  },
};
