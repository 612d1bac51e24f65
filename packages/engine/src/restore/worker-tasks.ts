import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";

export const restoreHandlers = {
  "restore.placeholder": (_context: WorkerContext, _input: null): TaskResult<null> => ({ output: null }),
};
