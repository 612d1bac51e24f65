import type { CopyObserver, CopyOutcome, CopyProblem } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { wrapWords } from "../terminal/display-width.ts";
import { printableText } from "../terminal/printable.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import {
  copyErrorMessage,
  copySummaryMessage,
  copyWarningMessage,
  type FinishedCopy,
  OTHER_CHUNKER,
  outcomeMessage,
  renderCopySummary,
  renderOutcome,
} from "./copy-report.ts";
import { CopyView } from "./copy-view.ts";

/** Shows a copy: live, in a log, or as JSON; and its end. */
export class CopyReporter implements Disposable {
  /** Bytes of the source that the target lacks. */
  wantedBytes = 0;
  readonly #context: CommandContext;
  readonly #ticker: ProgressTicker;
  readonly #sameChunker: boolean;

  constructor(context: CommandContext, options: { readonly sameChunker: boolean }) {
    this.#context = context;
    this.#sameChunker = options.sameChunker;
    const { terminal, globals, env } = context;
    this.#ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  }

  get observer(): CopyObserver {
    return {
      onStart: (progress) => this.#ticker.start(new CopyView(progress)),
      onPlan: ({ bytes }) => {
        this.wantedBytes = bytes;
        if (!this.#sameChunker) this.#warn(OTHER_CHUNKER);
      },
      onSnapshot: (outcome) => this.#showOutcome(outcome),
      onProblem: (problem) => this.#showProblem(problem),
    };
  }

  finish(finished: FinishedCopy): void {
    this.#ticker.stop();
    const { terminal, globals } = this.#context;
    if (globals.json) terminal.print(copySummaryMessage(finished));
    else if (!globals.quiet) terminal.print(renderCopySummary(finished).join("\n"));
  }

  [Symbol.dispose](): void {
    this.#ticker.stop();
  }

  #showOutcome(outcome: CopyOutcome): void {
    const { terminal, globals } = this.#context;
    const failed = outcome.action === "failed";
    if (globals.json) {
      terminal.print(outcomeMessage(outcome));
      return;
    }
    // As restic: what is there already is only worth a line to those who ask.
    const isNews = outcome.action !== "skipped" || globals.verbosity > 0;
    if (failed) terminal.printError(renderOutcome(outcome, terminal.errorPalette));
    else if (isNews && !globals.quiet) terminal.print(renderOutcome(outcome, terminal.palette));
  }

  #showProblem(problem: CopyProblem): void {
    const { terminal, globals } = this.#context;
    const text = `${terminal.errorPalette.red("error:")} ${printableText(problem.message)}`;
    terminal.printError(globals.json ? copyErrorMessage(problem) : text);
  }

  #warn(message: string): void {
    const { terminal, globals } = this.#context;
    if (globals.json) terminal.printError(copyWarningMessage(message));
    else if (!globals.quiet) {
      terminal.printError(wrapWords(`warning: ${message}`, terminal.columns).join("\n"));
    }
  }
}
