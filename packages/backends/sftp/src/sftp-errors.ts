import { ComebackError, isComebackError, messageOf } from "@comeback/core";
import type { FileSystemSpace } from "./sftp-client.ts";
import { hasStatus } from "./sftp-status-error.ts";

/** Where less than this is free, a failed write failed for want of space. */
const FULL_BELOW_BYTES = 1024 * 1024;

export interface FailedOperation {
  /** What failed, as a message says it: "saving pack 0123456789". */
  readonly doing: string;
  readonly path: string;
  readonly location: string;
  /** For `save`: how much was to be written, and what was free right after it failed. */
  readonly sizeBytes?: number | undefined;
  readonly space?: FileSystemSpace | undefined;
}

/** Says what a failed request means for the person who reads it. */
export function backendError(operation: FailedOperation, cause: unknown): ComebackError {
  if (isComebackError(cause)) return cause;
  const { doing, path, location, sizeBytes } = operation;
  const context = { path, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
  if (hasStatus(cause, "permissionDenied")) {
    return new ComebackError("backend.permission", `no permission for ${path}`, {
      why: `${doing} was refused by the server of ${location}`,
      next:
        "correct the owner and mode of the repository's files on the server; a read-only account " +
        "(`internal-sftp -R`) can restore and, with --no-lock, check",
      context,
      cause,
    });
  }
  const ofDisk = sizeBytes === undefined ? undefined : diskError(operation, context, cause);
  if (ofDisk !== undefined) return ofDisk;
  if (hasStatus(cause, "noConnection", "connectionLost")) {
    return new ComebackError("backend.unreachable", `the server of ${location} lost its storage`, {
      why: `${doing}: ${messageOf(cause)}`,
      next: "run the command again: it goes on where it was",
      retryable: true,
      context,
      cause,
    });
  }
  return new ComebackError("backend.io", `${doing} failed`, {
    why: `${path}: the server says "${messageOf(cause)}", and no more`,
    next:
      sizeBytes === undefined
        ? "look into the server's log, and check its disk"
        : "look whether a quota is used up on the server (`quota -s` there), and into its log",
    retryable: !hasStatus(cause, "unsupported", "badMessage"),
    context,
    cause,
  });
}

/** Version 3 has one word, "Failure", for a disk that is full, read-only or broken. */
function diskError(
  operation: FailedOperation,
  context: Readonly<Record<string, string | number>>,
  cause: unknown,
): ComebackError | undefined {
  const { doing, location, sizeBytes = 0, space } = operation;
  const said = messageOf(cause);
  if (space?.isReadOnly === true || /read-only file system/i.test(said)) {
    return new ComebackError("backend.read-only", `the disk of ${location} is read-only`, {
      why: `${doing} was refused by the file system`,
      next: "remount it for writing; if it was, look for disk errors in the server's log (`dmesg`)",
      context,
      cause,
    });
  }
  const isFull =
    /no space|quota|disk full/i.test(said) ||
    (space !== undefined &&
      (space.freeFiles === 0 || space.freeBytes < Math.max(sizeBytes, FULL_BELOW_BYTES)));
  if (!isFull || !hasStatus(cause, "failure")) return undefined;
  const free = space === undefined ? "" : `; ${Math.floor(space.freeBytes / 1024)} KiB are free`;
  return new ComebackError("backend.full", `no space left in ${location}`, {
    why: `${doing}: ${sizeBytes} bytes were to be written${free}`,
    next: "free space there or use another repository; what was stored so far is intact",
    context,
    cause,
  });
}

/** The repository that was opened is not there any more. */
export function repositoryGone(location: string, cause?: unknown): ComebackError {
  return new ComebackError("backend.not-mounted", `the repository at ${location} is gone`, {
    why: "its config is not there any more",
    next: "mount its disk on the server again, then repeat the command; nothing was written there",
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A folder, fifo or device lies where a file of the repository should be. */
export function notAFile(path: string): ComebackError {
  return new ComebackError("backend.io", `${path} is not a regular file`, {
    next: "move it away on the server, then run `comeback check`",
  });
}
