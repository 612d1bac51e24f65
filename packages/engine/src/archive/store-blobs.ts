import { collectGarbage } from "@comeback/platform";
import { sha256 } from "../crypto/blob-codec.ts";
import type { WorkerContext } from "../cpu-pool/worker-context.ts";
import { idWordsFromBytes } from "../index/blob-table.ts";
import type { FinishedPack } from "../pack/packer.ts";
import type { StoredBlobs } from "./tasks.ts";

/** Stores chunks in a worker, and adds up what came of it, for one task. */
export class BlobStorer {
  readonly #context: WorkerContext;
  readonly #words = new Uint32Array(8);
  readonly #packs: FinishedPack[] = [];
  #ids = "";
  blobsAdded = 0;
  bytesAdded = 0;
  bytesAddedPacked = 0;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** Stores one chunk unless the repository has it, or another thread is storing it. */
  store(plaintext: Uint8Array): void {
    const { table, packer } = this.#context;
    const id = sha256(plaintext);
    this.#ids += id.toString("hex");
    const entry = table.claim("data", idWordsFromBytes(id, this.#words));
    if (entry < 0) return;
    this.bytesAddedPacked += packer.add(id, entry, plaintext);
    this.bytesAdded += plaintext.length;
    this.blobsAdded++;
    if (!packer.isFull) return;
    const pack = packer.finish();
    this.#packs.push(pack);
    collectGarbage(pack.bytes);
  }

  get result(): StoredBlobs {
    const { blobsAdded, bytesAdded, bytesAddedPacked } = this;
    return { ids: this.#ids, packs: this.#packs, blobsAdded, bytesAdded, bytesAddedPacked };
  }

  get transfer(): ArrayBuffer[] {
    return this.#packs.flatMap((pack) => [pack.buffer, pack.entries.buffer]);
  }
}
