import { assert } from "@comeback/core";
import type { BlobLocation } from "../index/blob-table.ts";

/** A part of one pack that is read in one request and processed in one task. */
export interface PackRange {
  readonly pack: number;
  readonly offset: number;
  length: number;
  readonly blobs: RangeBlob[];
}

export interface RangeBlob {
  /** Its number in the index. */
  readonly entry: number;
  readonly location: BlobLocation;
  /** Numbers of the uses, in the order in which they were added. */
  readonly uses: number[];
}

export interface RangeLimits {
  /** Bytes between two blobs that are read along rather than asked for separately. */
  readonly gapMaxBytes: number;
  /** A range is not larger, unless it is a single blob. */
  readonly readMaxBytes: number;
  /** A range has not more uses. */
  readonly usesMax: number;
}

/**
 * Groups uses of blobs by pack and cuts the packs into ranges, so that each blob is read and
 * decoded as rarely as possible. `entries` has the blob's number in the index for each use; uses
 * that are marked in `isKept` are left out. Packs come in the order of their first use: files were
 * mostly stored in the order in which they are restored.
 */
export function planRanges(
  entries: readonly number[],
  isKept: Uint8Array | undefined,
  locate: (entry: number) => BlobLocation,
  limits: RangeLimits,
): PackRange[] {
  const packs = new Map<number, RangeBlob[]>();
  const blobs = new Map<number, RangeBlob>();
  for (let use = 0; use < entries.length; use++) {
    if (isKept?.[use]) continue;
    const entry = entries[use] as number;
    const known = blobs.get(entry);
    if (known !== undefined) {
      known.uses.push(use);
      continue;
    }
    const blob = { entry, location: locate(entry), uses: [use] };
    blobs.set(entry, blob);
    const pack = packs.get(blob.location.pack);
    if (pack === undefined) packs.set(blob.location.pack, [blob]);
    else pack.push(blob);
  }
  return [...packs.values()].flatMap((pack) => rangesOfPack(pack, limits));
}

function rangesOfPack(blobs: RangeBlob[], limits: RangeLimits): PackRange[] {
  blobs.sort((a, b) => a.location.offset - b.location.offset);
  const ranges: PackRange[] = [];
  let range: PackRange | undefined;
  let uses = 0;
  for (const blob of blobs.flatMap((whole) => splitByUses(whole, limits.usesMax))) {
    const { pack, offset, length } = blob.location;
    const fits =
      range !== undefined &&
      offset - (range.offset + range.length) <= limits.gapMaxBytes &&
      offset + length - range.offset <= limits.readMaxBytes &&
      uses + blob.uses.length <= limits.usesMax;
    if (range === undefined || !fits) {
      range = { pack, offset, length, blobs: [blob] };
      ranges.push(range);
      uses = 0;
    } else {
      // Blobs may overlap only where a hostile index says so.
      range.length = Math.max(range.length, offset + length - range.offset);
      range.blobs.push(blob);
    }
    uses += blob.uses.length;
  }
  return ranges;
}

/** A blob that very many files need is decoded several times, so that no task runs for long. */
function splitByUses(blob: RangeBlob, usesMax: number): RangeBlob[] {
  assert(usesMax > 0, "a range has uses");
  if (blob.uses.length <= usesMax) return [blob];
  const parts: RangeBlob[] = [];
  for (let at = 0; at < blob.uses.length; at += usesMax) {
    parts.push({ ...blob, uses: blob.uses.slice(at, at + usesMax) });
  }
  return parts;
}
