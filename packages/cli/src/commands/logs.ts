import type { CatalogStore, LogRecord } from "@comeback/core";
import { findRun } from "../catalog/find-run.ts";
import {
  addCatalogOption,
  type CatalogFlags,
  openCommandCatalog,
} from "../catalog/open-command-catalog.ts";
import { recordMessage } from "../catalog/record-message.ts";
import { renderLogLine } from "../catalog/render-log.ts";
import type { CommandContext } from "../context.ts";
import type { CommandModule } from "../program.ts";

interface LogsFlags extends CatalogFlags {
  readonly follow?: true;
  readonly plan?: string;
}

const PAGE = 1_000;
const POLL_MS = 500;

export const define: CommandModule["define"] = (command, run) => {
  addCatalogOption(command.argument("<run>", "a run, the start of its id, or `latest`"))
    .option("-f, --follow", "go on until the run has ended")
    .option("--plan <plan>", "`latest` is the latest of this plan")
    .action(
      run<LogsFlags>(async (context, flags, [name = ""]) => {
        await using store = await openCommandCatalog(context, flags);
        const { id } = await findRun(store, name, flags.plan);
        const print = printerFor(context);
        for await (const line of linesOf(store, id, flags.follow === true ? context : undefined)) {
          print(line);
        }
        return 0;
      }),
    );
};

/** All lines; where there is somebody to wait with, also those that are still to come. */
async function* linesOf(
  store: CatalogStore,
  runId: string,
  waiting: Pick<CommandContext, "clock" | "signal"> | undefined,
): AsyncGenerator<LogRecord, void, undefined> {
  let after = -1;
  for (;;) {
    // Asked first: what a run says until it has ended is there once it has.
    const run = waiting === undefined ? undefined : await store.findRun(runId);
    const isOver = run === undefined || run.endedAtMs !== undefined;
    for (;;) {
      const lines = await store.listLog(runId, after, PAGE);
      yield* lines;
      after = lines.at(-1)?.sequence ?? after;
      if (lines.length < PAGE) break;
    }
    if (isOver || waiting === undefined) return;
    await waiting.clock.sleep(POLL_MS, waiting.signal);
  }
}

function printerFor({ terminal, globals }: CommandContext): (line: LogRecord) => void {
  if (globals.json) return (line) => terminal.print(JSON.stringify(recordMessage(line)));
  const columns = terminal.stdoutIsTerminal ? terminal.columns : undefined;
  return (line) => terminal.print(renderLogLine(line, terminal.palette, columns).join("\n"));
}
