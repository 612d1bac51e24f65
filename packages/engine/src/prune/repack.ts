import {
  assert,
  type OperationOptions,
  PRUNE_BYTES_IN_FLIGHT_MAX,
  RANGE_GAP_MAX_BYTES,
} from "@comeback/core";
import { PackStore } from "../archive/pack-store.ts";
import { BitSet } from "../check/bit-set.ts";
import { Budget } from "../check/budget.ts";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import type { BlobType } from "../index/blob-table.ts";
import type { Packer } from "../pack/packer.ts";
import { loadsInFlight } from "../repository/calls-in-flight.ts";
import { eachConcurrently } from "../repository/repository.ts";
import type { PruneWork } from "./plan.ts";
import type { OpenBoxesOutput } from "./tasks.ts";

/** A part of a pack that holds blobs to be copied. */
interface CopyRange {
  readonly pack: number;
  readonly start: number;
  readonly end: number;
  readonly entries: Uint32Array;
}

/**
 * Copies what is used of the packs to be repacked into new ones, each blob once, and lists them in
 * new index files. Nothing is removed or listed otherwise: until then there are only more copies.
 */
export async function repackPacks(
  work: PruneWork,
  pool: CpuPool,
  { signal = new AbortController().signal, mayWrite = Promise.resolve() }: RepackOptions,
): Promise<{ packs: number; bytes: number }> {
  const { repository, progress } = work;
  const ranges = planCopies(work);
  progress.packsTotal = new Set(ranges.map(({ pack }) => pack)).size;
  progress.bytesTotal = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  const written = { packs: 0, bytes: 0 };
  if (ranges.length === 0) return written;
  const store = new PackStore({
    repository,
    dryRun: false,
    mayWrite,
    signal,
    onStored: (bytes) => {
      written.packs++;
      written.bytes += bytes;
    },
  });
  const copier = new BlobCopier(work, pool, store, { signal });
  const bytes = new Budget(PRUNE_BYTES_IN_FLIGHT_MAX);
  const inFlight = loadsInFlight(repository.backend, pool.size);
  let lastPack = -1;
  try {
    await eachConcurrently(ranges, inFlight, (range) =>
      bytes.use(range.end - range.start, async () => {
        signal.throwIfAborted();
        await copier.copy(range);
        if (range.pack !== lastPack) progress.packsDone++;
        lastPack = range.pack;
        progress.bytesDone += range.end - range.start;
        await store.room();
      }),
    );
    await copier.finish();
  } catch (error) {
    // What was copied is known to the next prune, which then need not copy it again.
    await store.salvage();
    throw error;
  }
  const wanted = ranges.reduce((sum, { entries }) => sum + entries.length, 0);
  assert(copier.copied === wanted, "every blob that was to be copied was");
  return written;
}

interface RepackOptions extends OperationOptions {
  readonly mayWrite?: Promise<void> | undefined;
}

/** Which blobs are copied from where: each one that stands in no pack that stays, once. */
function planCopies({ state, used, actions }: PruneWork): CopyRange[] {
  const { canonical, index, groups } = state;
  const { table } = index;
  const standing = BitSet.create(canonical.length);
  for (let entry = 0; entry < canonical.length; entry++) {
    const action = actions[table.packOf(entry)];
    if (action === "keep" || action === "recover") standing.add(canonical[entry] as number);
  }
  const ranges: CopyRange[] = [];
  for (const [pack, action] of actions.entries()) {
    if (action !== "repack") continue;
    const entries = groups.entriesOf(pack).filter((entry) => {
      const blob = canonical[entry] as number;
      return used.has(blob) && standing.add(blob);
    });
    let first = 0;
    for (let next = 1; next <= entries.length; next++) {
      const last = table.locationOf(entries[next - 1] as number);
      const end = last.offset + last.length;
      const following =
        next < entries.length ? table.locationOf(entries[next] as number) : undefined;
      if (following !== undefined && following.offset - end <= RANGE_GAP_MAX_BYTES) continue;
      const start = table.locationOf(entries[first] as number).offset;
      ranges.push({ pack, start, end, entries: entries.slice(first, next) });
      first = next;
    }
  }
  for (let blob = 0; blob < canonical.length; blob++) {
    assert(!used.has(blob) || standing.has(blob), "every blob in use has a pack that stays");
  }
  return ranges;
}

class BlobCopier {
  copied = 0;
  readonly #work: PruneWork;
  readonly #pool: CpuPool;
  readonly #store: PackStore;
  readonly #options: OperationOptions;
  readonly #packers: Readonly<Record<BlobType, Packer>>;

  constructor(work: PruneWork, pool: CpuPool, store: PackStore, options: OperationOptions) {
    this.#work = work;
    this.#pool = pool;
    this.#store = store;
    this.#options = options;
    const { repository } = work;
    this.#packers = { data: repository.newPacker("data"), tree: repository.newPacker("tree") };
  }

  async copy(range: CopyRange): Promise<void> {
    const opened = await this.#open(range);
    const { table } = this.#work.state.index;
    const damaged = new Set(opened?.damaged);
    const resealed = new Map(opened?.resealed.map((blob) => [blob.entry, blob]));
    for (const entry of range.entries) {
      if (opened === undefined || damaged.has(entry)) {
        await this.#copyFromElsewhere(entry);
        continue;
      }
      const type = table.typeOf(entry);
      const { offset, length, uncompressedLength } = table.locationOf(entry);
      const place = offset - range.start;
      const box = resealed.get(entry)?.box ?? opened.data.subarray(place, place + length);
      const plainLength = resealed.get(entry)?.uncompressedLength ?? uncompressedLength;
      const copy = table.claimAgain(type, table.idWordsOf(entry));
      this.#packers[type].addBox(copy, box, plainLength);
      this.#added(type);
    }
    // Gives the memory back now instead of at the next garbage collection.
    opened?.data.buffer.transfer(0);
  }

  async finish(): Promise<void> {
    for (const type of ["data", "tree"] as const) {
      const packer = this.#packers[type];
      if (!packer.isEmpty) this.#store.add(packer.finish(), type);
    }
    await this.#store.finish();
  }

  /** The part of the pack with its blobs proven, or `undefined` where it cannot be read. */
  async #open({ pack, start, end, entries }: CopyRange): Promise<OpenBoxesOutput | undefined> {
    const { repository, state, recompress } = this.#work;
    const file = { type: "pack", name: state.index.packIds[pack] as string } as const;
    let data: Uint8Array<ArrayBuffer>;
    try {
      const range = { ...this.#options, offset: start, length: end - start };
      data = await repository.backend.load(file, range);
    } catch {
      this.#options.signal?.throwIfAborted();
      // Other packs may have what is in it: if they have not, that tells why.
      return undefined;
    }
    const input = { data, startOffset: start, entries, recompress: recompress.has(pack) };
    return this.#pool.run("prune.boxes", input, [data.buffer]);
  }

  /** Copies a blob that does not hold here from whichever pack has it intact, or fails. */
  async #copyFromElsewhere(entry: number): Promise<void> {
    const { repository, state } = this.#work;
    const { table } = state.index;
    const type = table.typeOf(entry);
    const id = table.idOf(entry);
    const plaintext = await repository.loadBlob(type, id, this.#options);
    const copy = table.claimAgain(type, table.idWordsOf(entry));
    this.#packers[type].add(Buffer.from(id, "hex"), copy, plaintext);
    this.#added(type);
  }

  #added(type: BlobType): void {
    this.copied++;
    const packer = this.#packers[type];
    if (packer.isFull) this.#store.add(packer.finish(), type);
  }
}
