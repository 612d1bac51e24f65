import { runWatchdog } from "@comeback/operations/undo";
import type { CommandModule } from "../program.ts";
import { undoExecutorFor } from "../undo/undo-executor-for.ts";

interface WatchdogFlags {
  readonly journal: string;
}

const DESCRIPTION = `Watch over a run, and undo what it did to the services of this machine where it
dies or takes too long. Runs start it themselves and talk to it on its standard
input and output; once that is closed, the run has gone.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .requiredOption("--journal <file>", "the run's journal")
    .action(
      run<WatchdogFlags>(async ({ clock, env }, { journal }) => {
        outliveSignals();
        const isClean = await runWatchdog({
          journalPath: journal,
          input: process.stdin,
          output: process.stdout,
          executorFor: undoExecutorFor({ env, clock }),
          clock,
        });
        return isClean ? 0 : 1;
      }),
    );
};

/**
 * Whoever stops everything (systemd, a terminal that closes) means the run; what it leaves is then
 * still to be undone. The watchdog ends by itself right after.
 */
function outliveSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {});
  }
}
