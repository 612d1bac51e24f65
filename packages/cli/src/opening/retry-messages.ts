import type { RetryNotice, RetryObserver } from "@comeback/backend-layers";
import type { CommandContext } from "../context.ts";
import { printableText } from "../terminal/printable.ts";

/**
 * Says once that the storage fails, and once that it works again, however many calls are under way;
 * with `-v` every failure is told.
 */
export class RetryMessages implements RetryObserver {
  readonly #context: Pick<CommandContext, "globals" | "terminal">;
  #failing = 0;

  constructor(context: Pick<CommandContext, "globals" | "terminal">) {
    this.#context = context;
  }

  onRetry({ doing, error, failures, pauseMs, totalMaxMs }: RetryNotice): void {
    if (failures === 1) this.#failing++;
    const why = error.why === undefined ? error.message : `${error.message}: ${error.why}`;
    if (this.#context.globals.verbosity > 0) {
      this.#say(`${doing} failed (${failures}), again in ${(pauseMs / 1000).toFixed(1)} s: ${why}`);
    } else if (failures === 1 && this.#failing === 1) {
      const minutes = totalMaxMs / 60_000;
      this.#say(`${doing} failed, trying again for up to ${minutes} minutes: ${why}`);
    }
  }

  onRecovered(doing: string, failures: number): void {
    this.#failing--;
    if (this.#context.globals.verbosity > 0)
      this.#say(`${doing} worked after ${failures + 1} tries`);
    else if (this.#failing === 0) this.#say("it works again");
  }

  onGivenUp(): void {
    this.#failing--;
  }

  #say(text: string): void {
    const { globals, terminal } = this.#context;
    if (!globals.json && !globals.quiet) terminal.printError(printableText(`storage: ${text}`));
  }
}
