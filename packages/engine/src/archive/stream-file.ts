import { assert, CHUNK_MAX_BYTES, CHUNK_MIN_BYTES, RANGE_TASKS_PER_FILE_MAX } from "@comeback/core";
import { type Chunker, createChunker } from "../chunker/chunker.ts";
import { idList } from "./id-list.ts";
import type { LargeFileContext } from "./large-file.ts";

/** Bytes of a stream that are collected before its chunks are cut and sent to a worker. */
const WINDOW_BYTES = 2 * CHUNK_MAX_BYTES;
/** The window begins so small, and grows: most streams of a source of many are short. */
const WINDOW_FIRST_BYTES = 65_536;

/** The stream itself rejected, as against whatever failed while its bytes were stored. */
export class StreamFailure extends Error {}

/**
 * Stores a stream of unknown length: the main thread finds the cut points, workers do the rest.
 * Rejects with a `StreamFailure` where the stream does: a half-read stream must not look like a
 * whole one.
 */
export async function storeStream(
  context: LargeFileContext,
  content: {
    readonly headerBytes?: number;
    open(signal: AbortSignal): AsyncIterable<Uint8Array>;
  },
  chunkerPolynomial: bigint,
): Promise<{ content: readonly string[]; bytesRead: number; added: number; packed: number }> {
  const { pool, packStore, signal } = context;
  const ids: string[][] = [];
  const tasks = new Set<Promise<void>>();
  let failure: unknown;
  let places = 0;
  const totals = { bytesRead: 0, added: 0, packed: 0 };
  const window = new StreamWindow(chunkerPolynomial, content.headerBytes ?? 0);

  const send = async (
    place: number,
    data: Uint8Array<ArrayBuffer>,
    cuts: number[],
  ): Promise<void> => {
    const output = await pool.run("archive.chunks", { data, cuts }, [data.buffer]);
    context.keep(output);
    ids[place] = idList(output.ids);
    totals.added += output.bytesAdded;
    totals.packed += output.bytesAddedPacked;
  };

  /** Cuts what is in the window; the start of an unfinished chunk stays. */
  const cut = async (atEnd: boolean): Promise<void> => {
    const cuts = window.cuts(atEnd);
    if (cuts.length === 0) return;
    while (tasks.size >= RANGE_TASKS_PER_FILE_MAX) await Promise.race(tasks);
    await packStore.room();
    const task: Promise<void> = send(places++, window.take(cuts.at(-1) as number), cuts)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => tasks.delete(task));
    tasks.add(task);
  };

  try {
    for await (const piece of failingAsStream(content.open(signal))) {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure;
      totals.bytesRead += piece.length;
      for (let at = 0; at < piece.length;) {
        at += window.fill(piece.subarray(at));
        if (window.isFull) await cut(false);
      }
    }
  } catch (error) {
    // The backup may go on without it: what was sent is stored before it does.
    if (!signal.aborted) await Promise.all(tasks);
    throw failure ?? error;
  }
  await cut(true);
  await Promise.all(tasks);
  if (failure !== undefined) throw failure;
  return { content: ids.flat(), ...totals };
}

async function* failingAsStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new StreamFailure("the stream failed", { cause });
  }
}

/** Bytes of a stream whose chunks are not cut yet. */
class StreamWindow {
  readonly #polynomial: bigint;
  #chunker: Chunker | undefined;
  /** Of the first bytes that are in no chunk yet, so many become one. */
  #headerBytes: number;
  #bytes = new Uint8Array(WINDOW_FIRST_BYTES);
  #filled = 0;

  constructor(polynomial: bigint, headerBytes: number) {
    assert(headerBytes <= CHUNK_MAX_BYTES, "a header is no longer than a chunk may be");
    this.#polynomial = polynomial;
    this.#headerBytes = headerBytes;
  }

  get isFull(): boolean {
    return this.#filled === WINDOW_BYTES;
  }

  /** Takes as much of a piece as there is room for; returns how much. */
  fill(piece: Uint8Array): number {
    while (this.#bytes.length < Math.min(this.#filled + piece.length, WINDOW_BYTES)) {
      this.#resize(Math.min(this.#bytes.length * 2, WINDOW_BYTES));
    }
    const size = Math.min(piece.length, this.#bytes.length - this.#filled);
    this.#bytes.set(piece.subarray(0, size), this.#filled);
    this.#filled += size;
    return size;
  }

  /** Where the chunks end; without `atEnd` only of those that are complete. */
  cuts(atEnd: boolean): number[] {
    const header = Math.min(this.#headerBytes, this.#filled);
    this.#headerBytes = 0;
    const rest = this.#bytes.subarray(header, this.#filled);
    const cuts = header === 0 ? [] : [header];
    if (rest.length === 0) return cuts;
    // Nothing so short is cut anywhere, and most streams of a source of many are.
    if (atEnd && rest.length <= CHUNK_MIN_BYTES) return [...cuts, this.#filled];
    this.#chunker ??= createChunker(this.#polynomial);
    let end = header;
    for (const length of this.#chunker.cutsOf(rest, atEnd)) cuts.push((end += length));
    return cuts;
  }

  /** Gives the first bytes away. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, size);
    const rest = this.#bytes.slice(size, this.#filled);
    this.#bytes = new Uint8Array(this.isFull ? WINDOW_BYTES : WINDOW_FIRST_BYTES);
    this.#bytes.set(rest);
    this.#filled = rest.length;
    return taken;
  }

  #resize(size: number): void {
    const larger = new Uint8Array(size);
    larger.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = larger;
  }
}
