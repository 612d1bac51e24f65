import { ComebackError } from "@comeback/core";
import type { BitSet } from "../check/bit-set.ts";
import { PACK_HEADER_OVERHEAD_BYTES, packEntryBytes } from "../pack/header.ts";
import type { PruneState } from "./prune-state.ts";

/** More copies of a blob than this are not told apart; the choice between them is then not the best. */
const COPIES_MAX = 255;

/** What is used of each pack: some twenty bytes a pack, and one a blob while they are counted. */
export class PackCounts {
  readonly usedBlobs: Uint32Array;
  readonly unusedBlobs: Uint32Array;
  readonly duplicateBlobs: Uint32Array;
  /** Header included. */
  readonly usedBytes: Float64Array;
  readonly unusedBytes: Float64Array;
  /** 1 where a blob of the pack is not compressed. */
  readonly uncompressed: Uint8Array;
  /** Packs that were marked, and which snapshots need again. */
  readonly recovered: ReadonlySet<number>;
  readonly used = { blobs: 0, bytes: 0 };
  readonly duplicate = { blobs: 0, bytes: 0 };
  readonly unused = { blobs: 0, bytes: 0 };

  constructor(state: PruneState, used: BitSet) {
    const packs = state.index.packIds.length;
    this.usedBlobs = new Uint32Array(packs);
    this.unusedBlobs = new Uint32Array(packs);
    this.duplicateBlobs = new Uint32Array(packs);
    this.usedBytes = new Float64Array(packs).fill(PACK_HEADER_OVERHEAD_BYTES);
    this.unusedBytes = new Float64Array(packs);
    this.uncompressed = new Uint8Array(packs);
    const { canonical } = state;
    const { table, marks } = state.index;
    const copies = new Uint8Array(canonical.length);
    const addCopy = (entry: number): void => {
      const blob = canonical[entry] as number;
      const count = copies[blob] as number;
      if (count < COPIES_MAX) copies[blob] = count + 1;
    };
    for (let entry = 0; entry < canonical.length; entry++) {
      if (used.has(canonical[entry] as number) && !marks.has(table.packOf(entry))) addCopy(entry);
    }
    this.recovered = findRecovered(state, used, copies, addCopy);
    this.#countBlobs(state, used, copies);
    this.#chooseCopies(state, used, copies);
  }

  /** As restic's `packInfoFromIndex`: all copies of a blob that has several count as unused first. */
  #countBlobs({ canonical, index }: PruneState, used: BitSet, copies: Uint8Array): void {
    const { table } = index;
    for (let entry = 0; entry < canonical.length; entry++) {
      const { pack, length, uncompressedLength } = table.locationOf(entry);
      (this.usedBytes[pack] as number) += packEntryBytes({ uncompressedLength });
      if (uncompressedLength === 0) this.uncompressed[pack] = 1;
      if (!this.#isLive(index.marks, pack)) continue;
      const blob = canonical[entry] as number;
      if (used.has(blob) && copies[blob] === 1) {
        (this.usedBlobs[pack] as number)++;
        (this.usedBytes[pack] as number) += length;
        add(this.used, length);
        continue;
      }
      (this.unusedBlobs[pack] as number)++;
      (this.unusedBytes[pack] as number) += length;
      if (!used.has(blob)) {
        add(this.unused, length);
      } else {
        (this.duplicateBlobs[pack] as number)++;
        add(this.duplicate, length);
      }
    }
  }

  /**
   * Then one copy of each is taken as used (restic's rule): one beside other used blobs, or in a
   * pack of nothing but copies (which an interrupted prune left), or else the last that there is.
   */
  #chooseCopies({ canonical, index }: PruneState, used: BitSet, copies: Uint8Array): void {
    if (this.duplicate.blobs === 0) return;
    const { table, marks } = index;
    for (let entry = 0; entry < canonical.length; entry++) {
      const blob = canonical[entry] as number;
      const count = copies[blob] as number;
      if (!used.has(blob) || count === 1) continue;
      const { pack, length } = table.locationOf(entry);
      if (!this.#isLive(marks, pack)) continue;
      const isChosen =
        (this.usedBlobs[pack] as number) > 0 ||
        this.duplicateBlobs[pack] === this.unusedBlobs[pack] ||
        count === 0;
      if (!isChosen) {
        // 1 would say that the blob has been dealt with: 0 stands for the last copy.
        copies[blob] = count === 2 ? 0 : count - 1;
        continue;
      }
      (this.usedBlobs[pack] as number)++;
      (this.usedBytes[pack] as number) += length;
      (this.unusedBlobs[pack] as number)--;
      (this.unusedBytes[pack] as number) -= length;
      add(this.used, length);
      add(this.duplicate, length, -1);
      copies[blob] = 1;
    }
  }

  #isLive(marks: ReadonlyMap<number, unknown>, pack: number): boolean {
    return !marks.has(pack) || this.recovered.has(pack);
  }
}

function add(count: { blobs: number; bytes: number }, bytes: number, sign = 1): void {
  count.blobs += sign;
  count.bytes += sign * bytes;
}

/** Marked packs that hold the only copies of blobs in use: a backup ran beside their marking. */
function findRecovered(
  { canonical, index, listedSizes, groups }: PruneState,
  used: BitSet,
  copies: Uint8Array,
  addCopy: (entry: number) => void,
): Set<number> {
  const recovered = new Set<number>();
  if (index.marks.size === 0) return recovered;
  const { table } = index;
  for (let blob = 0; blob < canonical.length; blob++) {
    if (!used.has(blob) || copies[blob] !== 0) continue;
    const id = table.idWordsOf(blob);
    const type = table.typeOf(blob);
    let chosen = -1;
    for (let at = table.find(type, id); at >= 0; at = table.find(type, id, at)) {
      const pack = table.packOf(at);
      if (listedSizes[pack] === groups.sizes[pack]) chosen = pack;
    }
    if (chosen < 0) throw missingPacks(table.idOf(blob));
    recovered.add(chosen);
    for (const entry of groups.entriesOf(chosen)) {
      if (used.has(canonical[entry] as number)) addCopy(entry);
    }
  }
  return recovered;
}

function missingPacks(blobId: string): ComebackError {
  return new ComebackError("repository.damaged", "packs that snapshots need are missing", {
    why: `no pack that is there holds blob ${blobId.slice(0, 10)}`,
    next: "nothing was changed: run `comeback check`, then repair, before anything is removed",
  });
}
