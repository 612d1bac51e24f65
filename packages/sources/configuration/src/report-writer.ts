import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CommandResult,
  type CommandRunner,
  isComebackError,
  messageOf,
  REPORT_COMMAND_MS,
} from "@comeback/core";

type Argv = readonly [string, ...string[]];

export interface SectionOptions {
  /** Whether a program that ended with another exit code than 0 has failed; so it has by default. */
  readonly isFailure?: (result: CommandResult) => boolean;
  /** Takes out what changes at every call and says nothing. */
  readonly tidy?: (text: string) => string;
}

export interface ReportWriterOptions {
  readonly runner: CommandRunner;
  readonly signal: AbortSignal;
  /** Takes what could not be found out. */
  onProblem(message: string): void;
}

/**
 * Gathers a report's text. A program that this machine does not have is noted; one that fails is
 * noted as well, and a problem.
 */
export class ReportWriter {
  readonly #options: ReportWriterOptions;

  constructor(options: ReportWriterOptions) {
    this.#options = options;
  }

  /** A section with what a program prints; and that alone, "" where it failed or is not there. */
  async command(
    argv: Argv,
    { isFailure = () => true, tidy = (text) => text }: SectionOptions = {},
  ): Promise<{ readonly text: string; readonly stdout: string }> {
    const { runner, signal } = this.#options;
    const title = argv.join(" ");
    try {
      const result = await runner.run({
        argv,
        signal,
        env: { LC_ALL: "C" },
        timeoutMs: REPORT_COMMAND_MS,
      });
      const { exitCode, hasTimedOut, endedBy, lastWords, stdout } = result;
      if (!hasTimedOut && (exitCode === 0 || !isFailure(result))) {
        return { text: section(title, tidy(stdout)), stdout };
      }
      const how = hasTimedOut ? "took too long" : (endedBy ?? `exit code ${exitCode}`);
      const why = lastWords === "" ? how : `${how}: ${lastWords}`;
      return { text: this.#failed(title, why), stdout: "" };
    } catch (error) {
      signal.throwIfAborted();
      if (isComebackError(error, "command.missing")) {
        return { text: section(title, `(${argv[0]} is not on this machine)\n`), stdout: "" };
      }
      return { text: this.#failed(title, messageOf(error)), stdout: "" };
    }
  }

  /** A section with a file. */
  file(path: string): string {
    try {
      return section(path, readFileSync(path, "utf8"));
    } catch (error) {
      return this.#unreadable(path, error);
    }
  }

  /** A section for each file in a folder, in the order of their names. */
  folder(path: string): string {
    try {
      const files = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
      const names = files.map(({ name }) => name).toSorted();
      return names.map((name) => this.file(join(path, name))).join("");
    } catch (error) {
      return this.#unreadable(path, error);
    }
  }

  #unreadable(path: string, error: unknown): string {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return section(path, "(is not there)\n");
    return this.#failed(path, messageOf(error));
  }

  #failed(title: string, why: string): string {
    this.#options.onProblem(`${title}: ${why}`);
    return section(title, `(failed: ${why})\n`);
  }
}

/** Text under a heading that a shell would take for a comment. */
export function section(title: string, text: string): string {
  const body = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `## ${title}\n${body}\n`;
}
