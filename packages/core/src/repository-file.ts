import { FILE_TYPES } from "./backend.ts";
import type { LoadOptions, RepositoryFile } from "./backend.ts";
import { ComebackError } from "./errors.ts";

const NAME = /^[0-9a-f]{64}$/;

/** True for the names a repository's files may have; "config" has none and is not asked here. */
export function isRepositoryFileName(name: string): boolean {
  return NAME.test(name);
}

const TEMPORARY_NAME = /^(?:config|[0-9a-f]{64})-tmp-[0-9a-f]{16}$/;

/**
 * True for what a save is named until it is whole, where a store knows names alone: the file's name,
 * `-tmp-` and 16 hexadecimal digits by chance. restic and we pass over such names in every list;
 * restic's own have at most ten decimal digits there, and are never taken for ours.
 */
export function isTemporaryFileName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/** Refuses a name that could lead outside the repository, before any I/O is done with it. */
export function assertRepositoryFile(file: RepositoryFile): void {
  const known = FILE_TYPES.includes(file.type);
  const named =
    typeof file.name === "string" &&
    (file.type === "config" ? file.name === "" : isRepositoryFileName(file.name));
  if (!known || !named) {
    throw new ComebackError("option.invalid", "that is not a name of a repository file", {
      why: `type ${JSON.stringify(file.type)}, name ${JSON.stringify(file.name)}`,
      next: "use 64 lower-case hexadecimal digits",
    });
  }
}

/** Refuses a range that no file can have. */
export function assertLoadRange(options: LoadOptions): void {
  for (const value of [options.offset ?? 0, options.length ?? 0]) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ComebackError("option.invalid", "that is not a range of a file", {
        why: `offset ${String(options.offset)}, length ${String(options.length)}`,
      });
    }
  }
}

/** What a message calls a file: short, and enough to find it. */
export function fileLabel(file: RepositoryFile): string {
  return file.type === "config" ? "the config file" : `${file.type} ${file.name.slice(0, 10)}`;
}

/** What a backend rejects with after it was disposed. */
export function backendClosed(location: string): ComebackError {
  return new ComebackError("backend.closed", `${location} is already closed`, {
    next: "this is a defect in Comeback: please report it with the command you ran",
  });
}

/** What a backend rejects with when a file ends before the range asked for. */
export function fileTooShort(file: RepositoryFile, wantedEndBytes: number): ComebackError {
  return new ComebackError("backend.io", `${fileLabel(file)} is too short`, {
    why: `it ends before byte ${wantedEndBytes}`,
    next: "run `comeback check` to see what else is affected",
    context: { type: file.type, name: file.name, wantedEndBytes },
  });
}

/** What a backend rejects with when it has no such file. */
export function fileNotFound(
  file: RepositoryFile,
  location: string,
  cause?: unknown,
): ComebackError {
  return new ComebackError("backend.not-found", `${fileLabel(file)} is not in ${location}`, {
    context: { type: file.type, name: file.name },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What `save` rejects with when the name is taken. */
export function fileExists(file: RepositoryFile, location: string, cause?: unknown): ComebackError {
  return new ComebackError("backend.exists", `${fileLabel(file)} is already in ${location}`, {
    context: { type: file.type, name: file.name },
    ...(cause === undefined ? {} : { cause }),
  });
}
