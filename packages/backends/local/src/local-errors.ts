import { ComebackError, isComebackError, messageOf } from "@comeback/core";
import { errorName } from "./file-system.ts";

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
};

/** A network share or a FUSE file system whose other end is gone. */
const GONE: ReadonlySet<string> = new Set(["ENOTCONN", "ESTALE", "ENODEV", "ENXIO"]);

/** Failures of a call that says nothing about the same call later. */
const FINAL: ReadonlySet<string> = new Set(["EFBIG", "EISDIR", "ENAMETOOLONG", "ELOOP"]);

/** Readable sizes for messages: `16.0 MiB`. */
function readableSize(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = sizeBytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

export interface FailedOperation {
  /** What failed, as a message says it: "saving pack 0123456789". */
  readonly doing: string;
  readonly path: string;
  /** The repository's folder. */
  readonly location: string;
  /** For `save`: how much was to be written. */
  readonly sizeBytes?: number;
}

/** Says what a failed system call means for the person who reads it. */
export function backendError(operation: FailedOperation, cause: unknown): ComebackError {
  if (isComebackError(cause)) return cause;
  const name = errorName(cause);
  const { doing, path, location, sizeBytes } = operation;
  const context = { path, systemError: name, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
  const full = FULL[name];
  if (full !== undefined) {
    const what = sizeBytes === undefined ? "" : `${readableSize(sizeBytes)} were to be written to `;
    return new ComebackError("backend.full", `no space left in ${location}`, {
      why: `${doing}: ${what}${path}, but ${full}`,
      next: "free space there or use another repository; what was stored so far is intact",
      context,
      cause,
    });
  }
  if (name === "EROFS") {
    return new ComebackError("backend.read-only", `${location} is mounted read-only`, {
      why: `${doing} (${path}) was refused by the file system`,
      next: "remount it for writing; if it was, look for disk errors in the kernel's log (`dmesg`)",
      context,
      cause,
    });
  }
  if (name === "EACCES" || name === "EPERM") {
    return new ComebackError("backend.permission", `no permission for ${path}`, {
      why: `${doing} was refused`,
      next: "run as the user who owns the repository, or correct the owner and mode of its files",
      context,
      cause,
    });
  }
  if (GONE.has(name)) return notMounted(location, `${doing}: ${messageOf(cause)}`, cause);
  return new ComebackError("backend.io", `${doing} failed`, {
    why: `${path}: ${messageOf(cause)}`,
    retryable: !FINAL.has(name),
    context,
    cause,
  });
}

/** The repository that was opened is not there any more. */
export function notMounted(location: string, why: string, cause?: unknown): ComebackError {
  return new ComebackError("backend.not-mounted", `the repository at ${location} is gone`, {
    why,
    next: "mount the disk or share again, then repeat the command; nothing was written elsewhere",
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}
