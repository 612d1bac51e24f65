import { RANGE_GAP_MAX_BYTES, RANGE_READ_MAX_BYTES } from "@comeback/core";
import type { RepositoryIndex } from "../index/repository-index.ts";

/** A range of a pack that is read in one call. */
export interface Piece {
  readonly packId: string;
  readonly startOffset: number;
  readonly sizeBytes: number;
  /** What of it is wanted, by ascending offset; one type where trees were asked for alone. */
  readonly entries: Uint32Array<ArrayBuffer>;
}

/** Puts entries, which stand in pack order, together into ranges that are worth one call each. */
export function* planPieces(index: RepositoryIndex, entries: Uint32Array): Generator<Piece> {
  const { table, packIds } = index;
  let first = 0;
  let pack = -1;
  let start = 0;
  let end = 0;
  const piece = (next: number): Piece => ({
    packId: packIds[pack] as string,
    startOffset: start,
    sizeBytes: end - start,
    entries: entries.slice(first, next),
  });
  for (let i = 0; i < entries.length; i++) {
    const place = table.locationOf(entries[i] as number);
    const placeEnd = place.offset + place.length;
    const isNear =
      place.pack === pack &&
      place.offset - end <= RANGE_GAP_MAX_BYTES &&
      placeEnd - start <= RANGE_READ_MAX_BYTES;
    if (!isNear) {
      if (i > first) yield piece(i);
      first = i;
      pack = place.pack;
      start = place.offset;
    }
    end = isNear ? Math.max(end, placeEnd) : placeEnd;
  }
  if (entries.length > first) yield piece(entries.length);
}
