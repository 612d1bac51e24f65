import { readFileSync } from "node:fs";
import {
  BadPattern,
  type ByteString,
  byteStringFromBytes,
  ComebackError,
  decodeTextFile,
  displayText,
  messageOf,
  textLines,
  trimSpace,
} from "@comeback/core";
import { glob } from "./glob.ts";

export type TargetListOptions = {
  /** Paths given directly. */
  readonly targets?: readonly ByteString[] | undefined;
  /** Files (`-` for standard input) of patterns, one a line; `#` begins a comment. */
  readonly filesFrom?: readonly string[] | undefined;
  /** Files of paths, one a line, taken as they are. */
  readonly filesFromVerbatim?: readonly string[] | undefined;
  /** Files of paths, each ended by a NUL byte. */
  readonly filesFromRaw?: readonly string[] | undefined;
};

export type TargetList = {
  readonly targets: readonly ByteString[];
  /** Patterns that stand for nothing. */
  readonly unmatched: readonly ByteString[];
};

/** All targets in restic's order: the lists first, then the paths given directly. */
export function collectTargets(options: TargetListOptions): TargetList {
  const targets: ByteString[] = [];
  const unmatched: ByteString[] = [];
  for (const file of options.filesFrom ?? []) {
    for (const line of textLines(decodeTextFile(readList(file, "--files-from")))) {
      const pattern = trimSpace(line);
      if (pattern === "" || pattern.startsWith("#")) continue;
      const found = expand(pattern);
      if (found.length === 0) unmatched.push(pattern);
      targets.push(...found);
    }
  }
  for (const file of options.filesFromVerbatim ?? []) {
    const lines = textLines(decodeTextFile(readList(file, "--files-from-verbatim")));
    targets.push(...lines.filter((line) => line !== ""));
  }
  for (const file of options.filesFromRaw ?? []) {
    targets.push(...rawNames(readList(file, "--files-from-raw")));
  }
  targets.push(...(options.targets ?? []));
  return { targets, unmatched };
}

function expand(pattern: ByteString): ByteString[] {
  try {
    return glob(pattern);
  } catch (error) {
    if (!(error instanceof BadPattern)) throw error;
    throw new ComebackError("option.invalid", "--files-from: not a valid pattern", {
      why: JSON.stringify(displayText(pattern)),
      next: "use --files-from-verbatim for a list of paths that are no patterns",
    });
  }
}

function rawNames(bytes: Buffer): ByteString[] {
  const names = byteStringFromBytes(bytes).split("\0");
  if (names.pop() !== "") throw badRawList("the list does not end with a NUL byte");
  if (names.includes("")) throw badRawList("the list contains an empty path");
  return names;
}

function badRawList(why: string): ComebackError {
  return new ComebackError("option.invalid", "--files-from-raw: the list is damaged", {
    why,
    next: "write each path with a NUL byte behind it, as `find -print0` does",
  });
}

/** Reads a list or pattern file; `-` is standard input. */
export function readList(file: string, option: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new ComebackError("option.invalid", `${option}: cannot read ${file}`, {
      why: messageOf(error),
      next: "check its path and permissions; nothing was saved",
      cause: error,
    });
  }
}
