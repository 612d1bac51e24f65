import { isSystemError } from "./system-error.ts";
import {
  type ComebackError,
  ExitCode,
  type FileProblem,
  isComebackError,
  messageOf,
} from "@comeback/core";
import { wrapWords } from "./terminal/display-width.ts";
import { renderFileProblem } from "./terminal/file-problem.ts";
import type { Palette } from "./terminal/palette.ts";
import { printableText } from "./terminal/printable.ts";

/** An error as a person or a script gets to see it. */
export interface ErrorReport {
  readonly exitCode: number;
  readonly code: string;
  readonly what: string;
  readonly why: string | undefined;
  readonly next: string | undefined;
  /** For a file that a person wrote: each thing that is wrong with it. */
  readonly problems?: readonly FileProblem[];
}

const DEFECT_NEXT =
  "this looks like a defect in Comeback: run it again with COMEBACK_DEBUG=1 and report what it says";

/** What is told of any error that ends a command. */
export function reportOf(thrown: unknown): ErrorReport {
  const error = mainError(thrown);
  if (isComebackError(error)) {
    const { exitCode, code, message: what, next, problems } = error;
    return { exitCode, code, what, why: whyOf(error), next, problems };
  }
  if (isSystemError(error)) {
    return {
      exitCode: ExitCode.failed,
      code: "platform.system-call",
      what: "the operating system refused something that was needed",
      why: error.message,
      next: "check the path and its permissions",
    };
  }
  const text = messageOf(error);
  return {
    exitCode: ExitCode.failed,
    code: "internal",
    what: "an error that was not expected",
    why: text === "" ? undefined : text,
    next: DEFECT_NEXT,
  };
}

/** Where cleaning up failed as well, the failure before it is the one that matters. */
export function mainError(thrown: unknown): unknown {
  if (thrown instanceof SuppressedError) return mainError(thrown.suppressed);
  if (thrown instanceof AggregateError && thrown.errors.length > 0) {
    return mainError(thrown.errors[0]);
  }
  return thrown;
}

function whyOf(error: ComebackError): string | undefined {
  const cause = error.cause === undefined ? "" : messageOf(error.cause);
  if (error.why === undefined) return cause === "" ? undefined : cause;
  return cause === "" || error.why.includes(cause) ? error.why : `${error.why}: ${cause}`;
}

/** Three short lines: what failed, why, what to do next; and between them, places in a file. */
export function renderError(report: ErrorReport, palette: Palette, columns: number): string {
  const lines = [
    ...labelled(palette.red("error:"), "error:", `${report.what} [${report.code}]`, columns),
  ];
  if (report.why !== undefined) lines.push(...labelled("  why: ", "  why: ", report.why, columns));
  for (const problem of report.problems ?? []) {
    lines.push("", ...renderFileProblem(problem, palette, columns));
  }
  if ((report.problems ?? []).length > 0) lines.push("");
  if (report.next !== undefined) {
    lines.push(...labelled("  next:", "  next:", report.next, columns));
  }
  return lines.join("\n");
}

function labelled(shown: string, label: string, text: string, columns: number): string[] {
  const indent = " ".repeat(label.length + 1);
  const [first = "", ...rest] = wrapWords(printableText(text), columns - indent.length);
  return [`${shown} ${first}`, ...rest.map((line) => `${indent}${line}`)];
}

/** The end of work that is done but for some entries, which the summary has named to a person. */
export function incomplete(code: string, what: string, exitCode: ExitCode): ErrorReport {
  return { exitCode, code, what, why: undefined, next: undefined };
}

/** restic's last message of a failed command with --json; it goes to stderr. */
export function exitErrorMessage(report: ErrorReport): string {
  const why = report.why === undefined ? "" : `: ${report.why}`;
  const { problems = [] } = report;
  return JSON.stringify({
    message_type: "exit_error",
    code: report.exitCode,
    message: `${report.what}${why} [${report.code}]`,
    ...(problems.length === 0 ? {} : { problems: problems.map(withoutExcerpt) }),
  });
}

/** A program has the file, and the place in it. */
function withoutExcerpt({ file, line, column, message, suggestion }: FileProblem): object {
  return { file, line, column, message, suggestion };
}

/** The stacks of an error and of all that caused it, for COMEBACK_DEBUG=1. */
export function renderStack(thrown: unknown): string {
  const parts: string[] = [];
  const seen = new Set<unknown>();
  for (let error = thrown; error !== undefined && !seen.has(error);) {
    seen.add(error);
    parts.push(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    error = error instanceof SuppressedError ? error.suppressed : (error as Error | null)?.cause;
  }
  return parts.map((part) => part.split("\n").map(printableText).join("\n")).join("\ncaused by ");
}
