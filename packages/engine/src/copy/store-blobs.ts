import { mergeOpenPacks } from "../archive/merge-packs.ts";
import type { PackStore } from "../archive/pack-store.ts";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import type { BlobType } from "../index/blob-table.ts";
import type { OpenPack, Packer } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";
import type { CopyProgress } from "./copy-options.ts";
import type { LostBlobs } from "./lost-blobs.ts";
import { type Piece, planPieces } from "./pieces.ts";
import type { PieceReader } from "./read-pieces.ts";
import { readAgain } from "./source-blob.ts";
import type { CopyBlobsOutput } from "./tasks.ts";

export interface BlobCopierOptions {
  readonly source: Repository;
  readonly target: Repository;
  readonly recompress: boolean;
  readonly packStore: PackStore;
  readonly lost: LostBlobs;
  readonly reader: PieceReader;
  readonly pool: CpuPool;
  readonly progress: CopyProgress;
  readonly signal: AbortSignal;
}

/** Brings blobs of the source into packs of the target, and the packs into its store. */
export class BlobCopier {
  dataBlobs = 0;
  treeBlobs = 0;
  bytesRead = 0;
  readonly #options: BlobCopierOptions;
  /** For the few blobs that this thread had to read again. */
  readonly #packers: Readonly<Record<BlobType, Packer>>;

  constructor(options: BlobCopierOptions) {
    this.#options = options;
    const { target } = options;
    this.#packers = { data: target.newPacker("data"), tree: target.newPacker("tree") };
  }

  /** Copies these entries, which stand in pack order; all is stored and indexed when it resolves. */
  async copy(entries: Uint32Array): Promise<void> {
    const { source, reader, pool, packStore, recompress } = this.#options;
    await reader.each(planPieces(source.index, entries), {
      use: async (piece, data) => {
        await packStore.room();
        const { startOffset } = piece;
        const input = { data, startOffset, entries: piece.entries, recompress };
        const output = await pool.run("copy.blobs", input, [data.buffer]);
        this.#take(output);
        for (const entry of output.damaged) await this.#readAgain(entry, piece.packId);
        this.#done(piece);
      },
      onUnreadable: async (piece) => {
        for (const entry of piece.entries) await this.#readAgain(entry, piece.packId);
        this.#done(piece);
      },
    });
    await this.#flush();
  }

  #take({ packs, treePacks, dataBlobs, treeBlobs }: CopyBlobsOutput): void {
    const { packStore } = this.#options;
    for (const pack of packs) packStore.add(pack, "data");
    for (const pack of treePacks) packStore.add(pack, "tree");
    this.dataBlobs += dataBlobs;
    this.treeBlobs += treeBlobs;
  }

  #done({ entries, sizeBytes }: Piece): void {
    const { progress, source } = this.#options;
    const { table } = source.index;
    this.bytesRead += sizeBytes;
    progress.blobsDone += entries.length;
    for (const entry of entries) progress.bytesDone += table.locationOf(entry).length;
  }

  async #readAgain(entry: number, packId: string): Promise<void> {
    const { source, target, lost, packStore, signal } = this.#options;
    const { table } = source.index;
    const type = table.typeOf(entry);
    const words = table.idWordsOf(entry);
    const known = target.index.table;
    if (known.find(type, words) >= 0) return;
    const read = await readAgain(source, entry, { signal });
    if ("why" in read) {
      lost.addUnreadable(entry, packId, read.why);
      return;
    }
    const claimed = known.claim(type, words);
    if (claimed < 0) return;
    const packer = this.#packers[type];
    packer.add(Buffer.from(table.idOf(entry), "hex"), claimed, read.plaintext);
    if (type === "data") this.dataBlobs++;
    else this.treeBlobs++;
    if (packer.isFull) packStore.add(packer.finish(), type);
  }

  /** Makes whole packs of what the threads have left over, and waits until all is stored. */
  async #flush(): Promise<void> {
    const { target, pool, packStore } = this.#options;
    const open = await pool.runOnEach("copy.flush", null);
    const add = (type: BlobType, packs: readonly (OpenPack | undefined)[]): void => {
      const all = [...packs, this.#packers[type].take()];
      for (const pack of mergeOpenPacks(target, all, type)) packStore.add(pack, type);
    };
    add(
      "data",
      open.map(({ data }) => data),
    );
    add(
      "tree",
      open.map(({ trees }) => trees),
    );
    await packStore.finish();
  }
}
