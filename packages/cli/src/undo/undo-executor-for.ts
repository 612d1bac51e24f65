import { ComebackError } from "@comeback/core";
import { type JournalHeader, type UndoExecutor, undoExecutor } from "@comeback/operations/undo";
import { systemCommandRunner } from "@comeback/platform";

/** What undoes in the place of a run that has gone, by what its journal says of it. */
export function undoExecutorFor(_header: JournalHeader | undefined): Promise<UndoExecutor> {
  return Promise.resolve(
    undoExecutor({
      runner: systemCommandRunner,
      fetch,
      resolveSecret: () =>
        Promise.reject(new ComebackError("configuration.secret", "no secret can be resolved here")),
      snapshotter: () => undefined,
    }),
  );
}
