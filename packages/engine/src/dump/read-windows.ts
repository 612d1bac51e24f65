import type { ByteString, OperationOptions } from "@comeback/core";
import {
  DUMP_WINDOW_MAX_BYTES,
  DUMP_WINDOW_MAX_PARTS,
  DUMP_WINDOWS_AHEAD,
  damaged,
  displayText,
  isComebackError,
  RANGE_GAP_MAX_BYTES,
  RANGE_READ_MAX_BYTES,
} from "@comeback/core";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { plaintextBytes } from "../stats/node-counters.ts";
import type { DumpEntry, Wanted } from "./dump-parts.ts";
import type { OpenBlobsInput, OpenBlobsOutput } from "./tasks.ts";
import { openBlobs } from "./worker-tasks.ts";

/** An entry, or the next bytes of the entry before. */
export type DumpPart = DumpEntry | Uint8Array;

/** Wanted parts, with the blobs that they need, each once. */
interface Window {
  readonly wanted: readonly Wanted[];
  readonly blobs: ReadonlySet<number>;
}

type Content = Uint8Array | Error;

/**
 * Gives what is wanted in its order, several windows being fetched and opened ahead: a window is a
 * bounded number of parts and bytes, whose blobs are read pack by pack in large pieces. Whoever
 * stops early leaves nothing behind.
 */
export async function* readWindows(
  repository: Repository,
  wanted: AsyncIterable<Wanted>,
  options: OperationOptions,
): AsyncGenerator<DumpPart[]> {
  const stop = new AbortController();
  const signals = options.signal === undefined ? [] : [options.signal];
  const signal = AbortSignal.any([stop.signal, ...signals]);
  const reader = new WindowReader(repository, signal);
  const ahead: Promise<DumpPart[] | Failed>[] = [];
  const windows = windowsOf(repository, wanted)[Symbol.asyncIterator]();
  try {
    for (let isMore = true; isMore || ahead.length > 0;) {
      while (isMore && ahead.length < DUMP_WINDOWS_AHEAD) {
        const next = await windows.next();
        isMore = next.done !== true;
        if (next.done !== true) ahead.push(settled(reader.read(next.value)));
      }
      const window = await ahead.shift();
      if (window === undefined) break;
      if ("error" in window) throw window.error;
      yield window;
    }
  } finally {
    stop.abort();
    await windows.return?.(undefined);
    await Promise.all(ahead);
    await reader[Symbol.asyncDispose]();
  }
}

interface Failed {
  readonly error: unknown;
}

/** Awaited in its turn; until then a failure must not count as forgotten. */
async function settled<T>(promise: Promise<T>): Promise<T | Failed> {
  try {
    return await promise;
  } catch (error) {
    return { error };
  }
}

async function* windowsOf(
  repository: Repository,
  wanted: AsyncIterable<Wanted>,
): AsyncGenerator<Window, undefined, undefined> {
  const { table } = repository.index;
  let parts: Wanted[] = [];
  let blobs = new Set<number>();
  let bytes = 0;
  for await (const part of wanted) {
    parts.push(part);
    if (typeof part === "number" && !blobs.has(part)) {
      blobs.add(part);
      bytes += plaintextBytes(table.locationOf(part));
    }
    if (bytes < DUMP_WINDOW_MAX_BYTES && parts.length < DUMP_WINDOW_MAX_PARTS) continue;
    yield { wanted: parts, blobs };
    parts = [];
    blobs = new Set();
    bytes = 0;
  }
  if (parts.length > 0) yield { wanted: parts, blobs };
}

class WindowReader implements AsyncDisposable {
  readonly #repository: Repository;
  readonly #signal: AbortSignal;
  #pool: CpuPool | undefined;
  #windows = 0;
  /** The file that the blobs of the next window may still belong to. */
  #path: ByteString = "";

  constructor(repository: Repository, signal: AbortSignal) {
    this.#repository = repository;
    this.#signal = signal;
  }

  async read(window: Window): Promise<DumpPart[]> {
    const path = this.#path;
    const last = window.wanted.findLast((part) => typeof part !== "number");
    if (last !== undefined) this.#path = last.path;
    // Threads pay from the second window on: most files are smaller.
    const isFirst = this.#windows++ === 0;
    const contents = new Map<number, Content>();
    const ranges = rangesOf(this.#repository, window.blobs);
    const { connections } = this.#repository.backend;
    await eachConcurrently(ranges, connections, (range) => this.#fetch(range, contents, !isFirst));
    return partsOf(window, contents, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]();
  }

  async #fetch(range: Range, contents: Map<number, Content>, useThreads: boolean): Promise<void> {
    const { start, entries } = range;
    const data = await this.#load(range);
    const opened =
      data === undefined
        ? undefined
        : await this.#open({ data, startOffset: start, entries }, useThreads);
    for (const [i, entry] of entries.entries()) {
      const from = i === 0 ? 0 : (opened?.ends[i - 1] ?? 0);
      if (opened?.holds[i] === 1)
        contents.set(entry, opened.content.subarray(from, opened.ends[i]));
      else contents.set(entry, await this.#loadElsewhere(entry));
    }
  }

  /** A part of a pack; `undefined` where it cannot be read: each blob may have another copy. */
  async #load({ packId, start, end }: Range): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const signal = this.#signal;
    try {
      const file = { type: "pack", name: packId } as const;
      const place = { offset: start, length: end - start };
      return await this.#repository.backend.load(file, { ...place, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!isComebackError(error)) throw error;
      return undefined;
    }
  }

  async #open(input: OpenBlobsInput, useThreads: boolean): Promise<OpenBlobsOutput> {
    // No thread is started any more once the pool may have been disposed of.
    this.#signal.throwIfAborted();
    const { table } = this.#repository.index;
    if (!useThreads) return openBlobs(this.#repository.codec, table, input);
    this.#pool ??= new CpuPool({ setup: workerSetup(this.#repository, table.shared) });
    return this.#pool.run("dump.open", input, [input.data.buffer]);
  }

  /** Tries every copy of a blob. */
  async #loadElsewhere(entry: number): Promise<Content> {
    const id = this.#repository.index.table.idOf(entry);
    try {
      return await this.#repository.loadBlob("data", id, { signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** The parts in order; a blob that does not hold fails the file it belongs to, by name. */
function partsOf(
  { wanted }: Window,
  contents: ReadonlyMap<number, Content>,
  pathBefore: ByteString,
): DumpPart[] {
  let path = pathBefore;
  return wanted.map((part) => {
    if (typeof part !== "number") {
      ({ path } = part);
      return part;
    }
    const content = contents.get(part);
    if (content instanceof Uint8Array) return content;
    if (!isComebackError(content, "repository.damaged")) throw content;
    const why = `${content.message}: ${content.why ?? ""}`;
    throw damaged(`the content of ${displayText(path)}`, why, content);
  });
}

/** A part of a pack that is read in one piece. */
interface Range {
  readonly packId: string;
  readonly start: number;
  readonly end: number;
  readonly entries: Uint32Array<ArrayBuffer>;
}

function rangesOf(repository: Repository, blobs: ReadonlySet<number>): Range[] {
  const { table, packIds } = repository.index;
  const places = Array.from(blobs, (entry) => ({ entry, ...table.locationOf(entry) }));
  places.sort((a, b) => a.pack - b.pack || a.offset - b.offset);
  const ranges: Range[] = [];
  for (let first = 0; first < places.length;) {
    const { pack, offset, length } = places[first]!;
    let end = offset + length;
    let next = first + 1;
    for (; next < places.length; next++) {
      const place = places[next]!;
      const placeEnd = place.offset + place.length;
      const isFar = place.pack !== pack || place.offset - end > RANGE_GAP_MAX_BYTES;
      if (isFar || placeEnd - offset > RANGE_READ_MAX_BYTES) break;
      end = Math.max(end, placeEnd);
    }
    const entries = Uint32Array.from(places.slice(first, next), ({ entry }) => entry);
    ranges.push({ packId: packIds[pack] as string, start: offset, end, entries });
    first = next;
  }
  return ranges;
}
