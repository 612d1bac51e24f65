import { displayText } from "@comeback/core";
import type { RestoredItem, RestoreObserver, RestoreProblem } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { formatBytes } from "../terminal/format-values.ts";
import { printableName } from "../terminal/printable.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { problemMessage, renderProblem } from "../terminal/render-problems.ts";
import {
  type FinishedRestore,
  renderRestoreProblems,
  renderRestoreSummary,
  restoreSummaryMessage,
} from "./restore-summary.ts";
import { RestoreView } from "./restore-view.ts";

/** Shows a restore: live, in a log, or as JSON; and its end. */
export class RestoreReporter implements Disposable {
  readonly #context: CommandContext;
  readonly #ticker: ProgressTicker;

  constructor(context: CommandContext) {
    this.#context = context;
    const { terminal, globals, env } = context;
    this.#ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  }

  get observer(): RestoreObserver {
    const namesItems = this.#context.globals.verbosity >= 2;
    return {
      onStart: (progress) => this.#ticker.start(new RestoreView(progress)),
      onProblem: (problem) => this.#showProblem(problem),
      ...(namesItems ? { onItem: (item: RestoredItem) => this.#showItem(item) } : {}),
    };
  }

  finish(finished: FinishedRestore): void {
    this.#ticker.stop();
    const { terminal, globals } = this.#context;
    if (globals.json) {
      terminal.print(restoreSummaryMessage(finished));
      return;
    }
    if (!globals.quiet) {
      terminal.print(renderRestoreSummary(finished, terminal.palette).join("\n"));
    }
    const problems = renderRestoreProblems(finished);
    if (problems.length > 0) terminal.printError(problems.join("\n"));
  }

  [Symbol.dispose](): void {
    this.#ticker.stop();
  }

  #showProblem(problem: RestoreProblem): void {
    const { terminal, globals } = this.#context;
    terminal.printError(
      globals.json
        ? problemMessage(problem, "restore")
        : renderProblem(problem, terminal.errorPalette),
    );
  }

  #showItem({ action, path, sizeBytes, type }: RestoredItem): void {
    const { terminal, globals } = this.#context;
    if (globals.json) {
      const item = displayText(path);
      terminal.print(
        JSON.stringify({ message_type: "verbose_status", action, item, size: sizeBytes }),
      );
      return;
    }
    const size = type === "file" ? ` with size ${formatBytes(sizeBytes)}` : "";
    terminal.print(`${action.padEnd(9)} ${printableName(path)}${size}`);
  }
}
