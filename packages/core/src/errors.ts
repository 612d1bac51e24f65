/** Exit codes of the command line (the same as restic's where the meaning is the same). */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 1,
  sourceIncomplete: 3,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  /** Nothing was done, and for a reason (as sysexits' EX_TEMPFAIL): another run, a hook's word. */
  skipped: 75,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * Every code is stable: scripts, tests and the documentation rely on it.
 * The part before the dot names the area, the part behind it the failure.
 */
export type ErrorCode =
  | "action.failed"
  | "backend.archived"
  | "backend.busy"
  | "backend.changed-host"
  | "backend.closed"
  | "backend.credentials"
  | "backend.exists"
  | "backend.full"
  | "backend.io"
  | "backend.misconfigured"
  | "backend.not-found"
  | "backend.not-mounted"
  | "backend.permission"
  | "backend.program-missing"
  | "backend.read-only"
  | "backend.retained"
  | "backend.unknown-host"
  | "backend.unreachable"
  | "backup.destination"
  | "backup.no-source"
  | "cache.unusable"
  | "catalog.damaged"
  | "catalog.none"
  | "catalog.unusable"
  | "command.failed"
  | "command.missing"
  | "command.timeout"
  | "configuration.invalid"
  | "configuration.missing"
  | "configuration.secret"
  | "copy.incomplete"
  | "forget.held"
  | "forget.incomplete"
  | "forget.removes-all"
  | "internal.assertion"
  | "interrupted"
  | "key.ambiguous"
  | "key.in-use"
  | "key.none-left"
  | "key.not-found"
  | "key.too-many"
  | "key.unproven"
  | "key.wrong-password"
  | "option.invalid"
  | "migration.failed"
  | "notify.failed"
  | "plan.conflict"
  | "plan.failed"
  | "plan.not-found"
  | "platform.unsupported"
  | "platform.system-call"
  | "platform.temporary-files"
  | "repair.incomplete"
  | "replicate.incomplete"
  | "replicate.other-repository"
  | "repository.damaged"
  | "repository.exists"
  | "repository.hot-part"
  | "repository.locked"
  | "repository.no-config"
  | "repository.none"
  | "repository.unknown-version"
  | "restore.incomplete"
  | "rewrite.incomplete"
  | "restore.target"
  | "run.busy"
  | "run.failed"
  | "run.incomplete"
  | "run.not-found"
  | "run.timeout"
  | "schedule.invalid"
  | "check.failed"
  | "snapshot.ambiguous"
  | "snapshot.not-found"
  | "snapshot.path-not-found"
  | "source.incomplete"
  | "source.unavailable"
  | "snapshotter.failed"
  | "tag.incomplete"
  | "undo.busy"
  | "undo.incomplete"
  | "undo.overrun"
  | "audit.broken";

/** What is wrong at one place of a file that a person wrote. */
export interface FileProblem {
  readonly file: string;
  /** From 1, as editors count. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** What was found, and what is accepted. Never a secret. */
  readonly message: string;
  /** The nearest right spelling. */
  readonly suggestion?: string;
  /** The line, with whatever may be a secret in it left out, and which part of it is meant. */
  readonly excerpt?: { readonly text: string; readonly start: number; readonly length: number };
}

export interface ErrorDetails {
  /** Why it failed, in one sentence; the cause's message is appended by the renderer. */
  readonly why?: string;
  /** What the person should do next, in one sentence. */
  readonly next?: string;
  readonly exitCode?: ExitCode;
  /** True where the same call may succeed later (a lost connection, a busy server). */
  readonly retryable?: boolean;
  /** Facts for machines: file names, sizes, ids. Never a secret. */
  readonly context?: Readonly<Record<string, string | number | boolean>>;
  /** For an error about a file that a person wrote: each thing that is wrong, in its order. */
  readonly problems?: readonly FileProblem[];
  readonly cause?: unknown;
}

/**
 * The one public error: what failed (`message`), why, what to do next, a stable code, an exit code,
 * the cause kept. Secrets never go into any of its fields.
 */
export class ComebackError extends Error {
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly next: string | undefined;
  readonly exitCode: ExitCode;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, string | number | boolean>>;
  readonly problems: readonly FileProblem[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ComebackError";
    this.code = code;
    this.why = details.why;
    this.next = details.next;
    this.exitCode = details.exitCode ?? ExitCode.failed;
    this.retryable = details.retryable ?? false;
    this.context = details.context ?? {};
    this.problems = details.problems ?? [];
  }
}

export function isComebackError(error: unknown, code?: ErrorCode): error is ComebackError {
  return error instanceof ComebackError && (code === undefined || error.code === code);
}

const LOOK_FURTHER = "run `comeback check --read-data` to see what else is affected";
/** For config and keys: without them no check can even begin. */
export const BRING_BACK =
  "bring this file back from a copy of the repository: nothing else can stand in for it";

/** The error about a file, or a part of one, that is not as it was written. */
export function damaged(
  what: string,
  why: string,
  cause?: unknown,
  next: string = LOOK_FURTHER,
): ComebackError {
  return new ComebackError("repository.damaged", `${what} is damaged`, {
    why,
    next,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A condition that the code itself guarantees; its failure is a defect of ours. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new ComebackError("internal.assertion", `internal check failed: ${message}`, {
      next: "this is a defect in Comeback: please report it with the command you ran",
    });
  }
}

/**
 * The name of the store's host is not known to any name server. Adapters say by
 * `context.systemError` that this is why, and that it is final: most often a name is wrong.
 */
export function isNameNotFound(error: unknown): error is ComebackError {
  return isComebackError(error) && error.context["systemError"] === "ENOTFOUND";
}

/** The text of an unknown error, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
