import type { HandlersFor } from "../cpu-pool/worker-context.ts";
import { compareFiles } from "./compare-files.ts";
import type { RestoreTasks } from "./tasks.ts";
import { endSession } from "./worker-session.ts";
import { writeFiles } from "./write-files.ts";

export const restoreHandlers: HandlersFor<RestoreTasks> = {
  "restore.write": writeFiles,
  "restore.compare": compareFiles,
  "restore.end": () => {
    endSession();
    return { output: null };
  },
};
