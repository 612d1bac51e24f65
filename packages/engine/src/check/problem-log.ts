import type { OperationOptions } from "@comeback/core";
import {
  type Backend,
  CHECK_DETAILS_KEPT_MAX,
  type ComebackError,
  type ErrorCode,
  fileLabel,
  isComebackError,
  messageOf,
  PROBLEMS_KEPT_MAX,
  type RepositoryFile,
} from "@comeback/core";
import type {
  CheckHint,
  CheckObserver,
  CheckProblem,
  CheckProblemKind,
  CheckProgress,
} from "./check-options.ts";

/** Failures of a single call that say something about one file, and not about the whole store. */
const ABOUT_ONE_FILE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "backend.io",
  "backend.not-found",
  "backend.permission",
  "repository.damaged",
  "repository.unknown-version",
]);

/** What a check found, bounded: beyond the bound, problems are only counted. */
export class ProblemLog {
  readonly problems: CheckProblem[] = [];
  readonly hints: CheckHint[] = [];
  readonly #observer: CheckObserver | undefined;
  readonly #progress: CheckProgress;
  /** What this round told, and what rounds before it did. */
  #told = new Set<string>();
  #toldBefore = new Set<string>();

  constructor(observer: CheckObserver | undefined, progress: CheckProgress) {
    this.#observer = observer;
    this.#progress = progress;
  }

  get count(): number {
    return this.#progress.problems;
  }

  /** The check begins anew: what it finds a second time is not told twice. */
  restart(): void {
    this.hints.length = 0;
    this.#toldBefore = this.#toldBefore.union(this.#told);
    this.#told = new Set();
  }

  add(problem: CheckProblem): void {
    const key = `${problem.kind} ${problem.file?.name ?? problem.blob?.id ?? problem.message}`;
    if (this.#toldBefore.has(key)) return;
    if (this.#told.size < PROBLEMS_KEPT_MAX) this.#told.add(key);
    this.#progress.problems++;
    if (this.problems.length < PROBLEMS_KEPT_MAX) this.problems.push(problem);
    this.#observer?.onProblem?.(problem);
  }

  /** A problem of one file, with as many of the details as are kept. */
  addFile(kind: CheckProblemKind, file: RepositoryFile, details: readonly string[]): void {
    const what = kind === "pack-missing" ? "is missing" : "is damaged";
    this.add({ kind, message: `${fileLabel(file)} ${what}`, details: fewDetails(details), file });
  }

  hint(kind: CheckHint["kind"], message: string, ids: readonly string[], count: number): void {
    if (count > 0) this.hints.push({ kind, message, ids, count });
  }
}

/** The first of the details, and how many there are beyond. */
export function fewDetails(details: readonly string[]): readonly string[] {
  const more = details.length - CHECK_DETAILS_KEPT_MAX;
  if (more <= 0) return details;
  return [...details.slice(0, CHECK_DETAILS_KEPT_MAX), `and ${more} more`];
}

/**
 * Why a file could not be used, where the error is about this one file. An error that is about
 * anything else (an abort, a store that is gone) is thrown on: nothing could be checked any more.
 */
export async function whyUnusable(
  failure: unknown,
  backend: Backend,
  options: OperationOptions,
): Promise<string> {
  options.signal?.throwIfAborted();
  if (!isComebackError(failure) || !ABOUT_ONE_FILE.has(failure.code)) throw failure;
  if (failure.code === "backend.io") {
    // One bad sector, or is the whole store unreachable? Then the config cannot be seen either.
    await backend.stat({ type: "config", name: "" }, options).catch(() => {
      throw failure;
    });
  }
  return sentence(failure);
}

function sentence(error: ComebackError): string {
  if (error.code === "repository.damaged") return error.why ?? messageOf(error);
  const message = messageOf(error);
  return error.why === undefined ? message : `${message}: ${error.why}`;
}
