import {
  isComebackError,
  type OperationOptions,
  PRUNE_HEADERS_IN_FLIGHT_MAX,
} from "@comeback/core";
import {
  decodePackHeader,
  PACK_TRAILER_BYTES,
  packHeaderLength,
  type PackedBlob,
} from "../pack/header.ts";
import type { Repository } from "../repository/repository.ts";

/** A header of some 400 blobs comes with the first reading. */
const FIRST_READING_BYTES = 16 * 1024;

/** A pack that no index file lists. */
export interface Stranger {
  readonly id: string;
  readonly sizeBytes: number;
  /** Empty where its header cannot be read. */
  readonly blobs: readonly PackedBlob[];
}

/** Reads what packs hold that no index lists; those that are gone meanwhile are left out. */
export async function* readStrangers(
  repository: Repository,
  strangers: ReadonlyMap<string, number>,
  options: OperationOptions,
): AsyncGenerator<Stranger> {
  const waiting = [...strangers];
  while (waiting.length > 0) {
    const some = waiting.splice(0, PRUNE_HEADERS_IN_FLIGHT_MAX);
    const read = some.map(async ([id, sizeBytes]) => {
      const blobs = await readBlobs(repository, id, sizeBytes, options);
      return blobs && { id, sizeBytes, blobs };
    });
    for (const stranger of await Promise.all(read)) if (stranger !== undefined) yield stranger;
  }
}

async function readBlobs(
  { backend, codec }: Repository,
  name: string,
  sizeBytes: number,
  options: OperationOptions,
): Promise<PackedBlob[] | undefined> {
  const file = { type: "pack", name } as const;
  const load = (length: number): Promise<Uint8Array> =>
    backend.load(file, { ...options, offset: sizeBytes - length, length });
  try {
    if (sizeBytes < PACK_TRAILER_BYTES) return [];
    const first = await load(Math.min(sizeBytes, FIRST_READING_BYTES));
    const length = packHeaderLength(first.subarray(-PACK_TRAILER_BYTES), sizeBytes, "pack");
    const wanted = length + PACK_TRAILER_BYTES;
    const end = wanted <= first.length ? first.subarray(-wanted) : await load(wanted);
    const box = end.subarray(0, length);
    return decodePackHeader(box, sizeBytes - wanted, codec.cipher, "pack");
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isComebackError(error, "backend.not-found")) return undefined;
    // Half a pack, as a store that is not atomic leaves it: it waits and goes like any other.
    if (isComebackError(error, "repository.damaged")) return [];
    throw error;
  }
}
