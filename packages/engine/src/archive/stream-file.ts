import { CHUNK_MAX_BYTES, RANGE_TASKS_PER_FILE_MAX } from "@comeback/core";
import { createChunker } from "../chunker/chunker.ts";
import { idList } from "./id-list.ts";
import type { LargeFileContext } from "./large-file.ts";

/** Bytes of a stream that are collected before its chunks are cut and sent to a worker. */
const WINDOW_BYTES = 2 * CHUNK_MAX_BYTES;

/**
 * Stores a stream of unknown length: the main thread finds the cut points, workers do the rest.
 * An error of the stream ends the backup: a half-read stream must not look like a whole one.
 */
export async function storeStream(
  context: LargeFileContext,
  content: { open(signal: AbortSignal): AsyncIterable<Uint8Array> },
  chunkerPolynomial: bigint,
): Promise<{ content: readonly string[]; bytesRead: number; added: number; packed: number }> {
  const { pool, packStore, signal } = context;
  const chunker = createChunker(chunkerPolynomial);
  const ids: string[][] = [];
  const tasks = new Set<Promise<void>>();
  let failure: unknown;
  let places = 0;
  const totals = { bytesRead: 0, added: 0, packed: 0 };
  let window = new Uint8Array(WINDOW_BYTES);
  let filled = 0;

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
    const cuts: number[] = [];
    let end = 0;
    for (const length of chunker.cutsOf(window.subarray(0, filled), atEnd)) {
      end += length;
      cuts.push(end);
    }
    if (cuts.length === 0) return;
    while (tasks.size >= RANGE_TASKS_PER_FILE_MAX) await Promise.race(tasks);
    await packStore.room();
    const rest = window.slice(end, filled);
    const task: Promise<void> = send(places++, window.subarray(0, end), cuts)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => tasks.delete(task));
    tasks.add(task);
    window = new Uint8Array(WINDOW_BYTES);
    window.set(rest);
    filled = rest.length;
  };

  for await (const piece of content.open(signal)) {
    signal.throwIfAborted();
    if (failure !== undefined) throw failure;
    totals.bytesRead += piece.length;
    for (let at = 0; at < piece.length;) {
      const size = Math.min(piece.length - at, window.length - filled);
      window.set(piece.subarray(at, at + size), filled);
      filled += size;
      at += size;
      if (filled === window.length) await cut(false);
    }
  }
  await cut(true);
  await Promise.all(tasks);
  if (failure !== undefined) throw failure;
  return { content: ids.flat(), ...totals };
}
