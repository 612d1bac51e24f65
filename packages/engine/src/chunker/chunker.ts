import {
  assert,
  CHUNK_MAX_BYTES,
  CHUNK_MIN_BYTES,
  CHUNK_WINDOW_BYTES,
  WHOLE_FILE_MAX_BYTES,
} from "@comeback/core";
import { degree, POLYNOMIAL_DEGREE } from "./polynomial.ts";
import { RabinModule } from "./rabin-module.ts";

/** How large chunks are; a repository's are always the default ones. */
export type ChunkSizes = {
  /** At least the window's 64 bytes. */
  readonly minBytes: number;
  readonly maxBytes: number;
  /** A cut falls after 2^averageBits bytes on average, counted from the minimum on; at most 32. */
  readonly averageBits: number;
};

/** Bytes that are read on request. */
export type CutRequest = {
  /** Reads bytes at a position into the target; returns how many, 0 only at the end. */
  read(target: Uint8Array, position: number): number;
  /** Where the first chunk begins: the start of the data or an earlier cut. */
  readonly from: number;
  /** Where the data ends. */
  readonly to: number;
  /** No chunk is begun once the cuts found span this many bytes; default: go on to the end. */
  readonly budgetBytes?: number;
};

/** Content-defined chunking as restic does it (restic design, "Content Defined Chunking"). */
export interface Chunker {
  /** The arena that the caller reads whole small files into. It never moves. */
  readonly input: Uint8Array;
  /**
   * The length of the chunk that begins at `start` of the input, of which the bytes before `end`
   * are there; -1 if more are needed. With `atEnd`, nothing follows: what is left is a chunk.
   */
  nextCut(start: number, end: number, atEnd: boolean): number;
  /**
   * The positions at which the chunks of a large file end, ascending. Bytes in which no cut can
   * fall are not read. The last position is `to`, unless the budget ran out, or the data was found
   * to end earlier: then it is one at or behind that end, and there is none where `from` lies
   * behind it. Uses the arena.
   */
  findCuts(request: CutRequest): number[];
  /**
   * The lengths of the chunks at the start of `bytes`; without `atEnd` only of those that are
   * complete. Uses the arena.
   */
  cutsOf(bytes: Uint8Array, atEnd: boolean): number[];
}

const CHUNK_SIZES: ChunkSizes = {
  minBytes: CHUNK_MIN_BYTES,
  maxBytes: CHUNK_MAX_BYTES,
  averageBits: 20,
};

/** Room for a whole small file or one chunk, and a little to see whether more follows. */
const ARENA_BYTES: number = Math.max(WHOLE_FILE_MAX_BYTES, CHUNK_MAX_BYTES) + 61_440;
/**
 * Bytes of one call of the module, and of one reading: small enough to stay in the processor's
 * cache, and for a first call to end soon, for it runs before the code is optimised.
 */
const PIECE_BYTES = 131_072;

/** A chunker of its own for each thread and polynomial. */
export function createChunker(polynomial: bigint, sizes: ChunkSizes = CHUNK_SIZES): Chunker {
  assert(degree(polynomial) === POLYNOMIAL_DEGREE, "the chunker's polynomial has degree 53");
  assert(
    sizes.minBytes >= CHUNK_WINDOW_BYTES && sizes.maxBytes >= sizes.minBytes,
    "chunks are at least a window long",
  );
  return new RabinChunker(new RabinModule(polynomial, ARENA_BYTES), sizes);
}

/** How far the scan for one chunk's end came. */
type ChunkScan =
  | { readonly kind: "cut"; readonly at: number }
  /** All bytes were there, and none ends the chunk. */
  | { readonly kind: "open" }
  /** The data ended before `to`; `read` says whether anything of this chunk was read. */
  | { readonly kind: "ended"; readonly at: number; readonly read: boolean };

class RabinChunker implements Chunker {
  readonly input: Uint8Array;
  readonly #module: RabinModule;
  readonly #sizes: ChunkSizes;
  readonly #maskBits: number;

  constructor(module: RabinModule, sizes: ChunkSizes) {
    this.#module = module;
    this.input = module.input;
    this.#sizes = sizes;
    this.#maskBits = 2 ** sizes.averageBits - 1;
  }

  nextCut(start: number, end: number, atEnd: boolean): number {
    assert(start >= 0 && end >= start && end <= this.input.length, "the chunk is in the arena");
    const { minBytes, maxBytes } = this.#sizes;
    const last = Math.min(start + maxBytes, end);
    const cut = this.#firstCut(start + minBytes, last);
    if (cut >= 0) return cut - start;
    if (last - start === maxBytes || atEnd) return last - start;
    return -1;
  }

  findCuts(request: CutRequest): number[] {
    const { from, to, budgetBytes = Infinity } = request;
    const cuts: number[] = [];
    for (let start = from; start < to && start - from < budgetBytes;) {
      const scan = this.#scanChunk(request, start);
      if (scan.kind === "ended") {
        if (scan.read || request.read(this.input.subarray(0, 1), start) > 0) cuts.push(scan.at);
        break;
      }
      start = scan.kind === "cut" ? scan.at : to;
      cuts.push(start);
    }
    return cuts;
  }

  cutsOf(bytes: Uint8Array, atEnd: boolean): number[] {
    const read = (target: Uint8Array, position: number): number => {
      const piece = bytes.subarray(position, position + target.length);
      target.set(piece);
      return piece.length;
    };
    const lengths: number[] = [];
    for (let start = 0; start < bytes.length;) {
      const scan = this.#scanChunk({ read, from: 0, to: bytes.length }, start);
      if (scan.kind !== "cut" && !atEnd) break;
      const end = scan.kind === "cut" ? scan.at : bytes.length;
      lengths.push(end - start);
      start = end;
    }
    return lengths;
  }

  /** Looks for the end of the chunk that begins at `start`, reading only where it may be. */
  #scanChunk(request: CutRequest, start: number): ChunkScan {
    const { minBytes, maxBytes } = this.#sizes;
    const last = Math.min(start + maxBytes, request.to);
    /** The position of the arena's first byte. */
    let origin = start + minBytes - CHUNK_WINDOW_BYTES;
    let filled = 0;
    let next = start + minBytes;
    while (next <= last) {
      const end = Math.min(last, next + PIECE_BYTES);
      filled = this.#fill(request, origin, filled, end - origin);
      const position = origin + filled;
      const cut = this.#firstCut(next - origin, filled);
      if (cut >= 0) return { kind: "cut", at: origin + cut };
      if (position < end) {
        const read = position > start + minBytes - CHUNK_WINDOW_BYTES;
        return { kind: "ended", at: position, read };
      }
      // The next fingerprint still reaches into the last bytes of this piece.
      this.input.copyWithin(0, filled - CHUNK_WINDOW_BYTES, filled);
      origin = position - CHUNK_WINDOW_BYTES;
      filled = CHUNK_WINDOW_BYTES;
      next = position + 1;
    }
    return last === start + maxBytes ? { kind: "cut", at: last } : { kind: "open" };
  }

  /** Reads until the arena holds `wanted` bytes or the data ends; returns how many it holds. */
  #fill(request: CutRequest, origin: number, filled: number, wanted: number): number {
    let length = filled;
    while (length < wanted) {
      const read = request.read(this.input.subarray(length, wanted), origin + length);
      assert(read >= 0 && read <= wanted - length, "a reading gives at most what was asked for");
      if (read === 0) break;
      length += read;
    }
    return length;
  }

  /** The first place in [from, end] of the arena at which a chunk may end, or -1. */
  #firstCut(from: number, end: number): number {
    for (let at = from; at <= end; at += PIECE_BYTES + 1) {
      const last = Math.min(at + PIECE_BYTES, end);
      const cut = this.#module.firstCut(at, last, this.#maskBits);
      if (cut >= 0) return cut;
    }
    return -1;
  }
}
