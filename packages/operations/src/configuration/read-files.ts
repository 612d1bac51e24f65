import { glob, open, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import {
  ComebackError,
  CONFIGURATION_FILE_MAX_BYTES,
  CONFIGURATION_FILES_MAX,
  messageOf,
} from "@comeback/core";
import {
  lineStartsOf,
  type LocatedMapping,
  type LocatedScalar,
  type LocatedValue,
  type Place,
  type SourceFile,
} from "./located-value.ts";
import { parseConfigurationFile } from "./parse-file.ts";
import type { Problem } from "./problems.ts";

export interface ReadFiles {
  readonly files: readonly SourceFile[];
  /** What each file says, in the order in which they were read. */
  readonly roots: readonly LocatedMapping[];
  readonly problems: readonly Problem[];
}

/**
 * Reads a file and what it includes, each once. Rejects with `configuration.missing` where the first
 * one cannot be read; what is wrong with others is a problem of the line that includes them.
 */
export async function readFiles(path: string, signal: AbortSignal): Promise<ReadFiles> {
  const reader = new FilesReader(signal);
  try {
    await reader.readFile(path, undefined);
  } catch (cause) {
    signal.throwIfAborted();
    throw new ComebackError("configuration.missing", `the configuration ${path} cannot be read`, {
      next: "check its path and its permissions; --config FILE names another one",
      cause,
    });
  }
  return reader;
}

class FilesReader implements ReadFiles {
  readonly files: SourceFile[] = [];
  readonly roots: LocatedMapping[] = [];
  readonly problems: Problem[] = [];
  /** By the path that all links lead to: from where it is included. */
  readonly #seen = new Map<string, Place | undefined>();
  readonly #open: string[] = [];
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async readFile(path: string, from: Place | undefined): Promise<void> {
    this.#signal.throwIfAborted();
    const real = await realpath(path);
    if (from !== undefined && this.#isRefused(path, real, from)) return;
    this.#seen.set(real, from);
    const { file, problem } = await readSourceFile(path);
    this.files.push(file);
    if (problem !== undefined) return void this.problems.push(problem);
    const { root, problems } = parseConfigurationFile(file);
    this.problems.push(...problems);
    if (root === undefined) return;
    this.roots.push(root);
    this.#open.push(real);
    for (const include of includesOf(root)) await this.#include(include, dirname(path));
    this.#open.pop();
  }

  #isRefused(path: string, real: string, from: Place): boolean {
    if (this.#open.includes(real)) {
      const message = `${path} is included by itself, directly or by way of others`;
      return this.#refuse(from, message);
    }
    if (this.#seen.has(real)) return this.#refuse(from, `${path} is included twice`);
    if (this.#seen.size < CONFIGURATION_FILES_MAX) return false;
    return this.#refuse(from, `a configuration is of ${CONFIGURATION_FILES_MAX} files at most`);
  }

  async #include(include: LocatedScalar, folder: string): Promise<void> {
    const pattern = String(include.value);
    const paths = /[*?[\]{}]/.test(pattern)
      ? await matches(isAbsolute(pattern) ? pattern : join(folder, pattern))
      : [resolve(folder, pattern)];
    if (paths === undefined) {
      this.#refuse(include.place, "this pattern cannot be understood");
      return;
    }
    for (const path of paths) {
      try {
        await this.readFile(path, include.place);
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#refuse(include.place, `${path} cannot be read: ${messageOf(error)}`);
      }
    }
  }

  #refuse(place: Place, message: string): true {
    this.problems.push({ place, message });
    return true;
  }
}

/** In the order of their names; one more than is allowed is enough to be refused. */
async function matches(pattern: string): Promise<string[] | undefined> {
  try {
    const found: string[] = [];
    for await (const path of glob(pattern)) {
      found.push(path);
      if (found.length > CONFIGURATION_FILES_MAX) break;
    }
    return found.toSorted();
  } catch {
    return undefined;
  }
}

/** What is no text here is the schema's to complain of. */
function includesOf(root: LocatedMapping): LocatedScalar[] {
  const given: LocatedValue | undefined = root.entries.get("include")?.value;
  const list = given?.kind === "list" ? given.items : given === undefined ? [] : [given];
  return list.filter(
    (item): item is LocatedScalar => item.kind === "scalar" && typeof item.value === "string",
  );
}

async function readSourceFile(
  path: string,
): Promise<{ readonly file: SourceFile; readonly problem?: Problem }> {
  await using handle = await open(path);
  if (!(await handle.stat()).isFile()) throw new Error("it is no file");
  const buffer = Buffer.alloc(CONFIGURATION_FILE_MAX_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const isTooLong = length > CONFIGURATION_FILE_MAX_BYTES;
  const text = isTooLong ? "" : buffer.subarray(0, length).toString("utf8");
  const file = { path, text, lineStarts: lineStartsOf(text) };
  if (isTooLong) {
    const message = `a file of the configuration is of ${CONFIGURATION_FILE_MAX_BYTES} bytes at most`;
    return { file, problem: { place: { file, start: 0, end: 0 }, message } };
  }
  // Also where the sign itself is in the file: nobody means it.
  const broken = text.indexOf("\ufffd");
  if (broken === -1) return { file };
  const place = { file, start: broken, end: broken + 1 };
  return { file, problem: { place, message: "this is not UTF-8" } };
}
