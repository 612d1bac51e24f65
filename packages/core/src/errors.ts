/** Exit codes of the command line (the same as restic's where the meaning is the same). */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 1,
  sourceIncomplete: 3,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * Every code is stable: scripts, tests and the documentation rely on it.
 * The part before the dot names the area, the part behind it the failure.
 */
export type ErrorCode =
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
  | "command.failed"
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
  | "platform.unsupported"
  | "platform.system-call"
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
  | "check.failed"
  | "snapshot.ambiguous"
  | "snapshot.not-found"
  | "snapshot.path-not-found"
  | "tag.incomplete";

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

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ComebackError";
    this.code = code;
    this.why = details.why;
    this.next = details.next;
    this.exitCode = details.exitCode ?? ExitCode.failed;
    this.retryable = details.retryable ?? false;
    this.context = details.context ?? {};
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
