import type { Random } from "@comeback/core";
import { systemRandom } from "@comeback/platform";
import { type Chunker, createChunker } from "../chunker/chunker.ts";
import { BlobCodec } from "../crypto/blob-codec.ts";
import { BlobTable } from "../index/blob-table.ts";
import { Packer } from "../pack/packer.ts";
import type { WorkerSetup } from "./protocol.ts";

/** What one worker thread owns. Each part is made when the first task needs it. */
export class WorkerContext {
  readonly setup: WorkerSetup;
  readonly #random: Random;
  #codec: BlobCodec | undefined;
  #chunker: Chunker | undefined;
  #table: BlobTable | undefined;
  #packer: Packer | undefined;

  constructor(setup: WorkerSetup, random: Random = systemRandom) {
    this.setup = setup;
    this.#random = random;
  }

  get codec(): BlobCodec {
    const { key, compression, version, verifyBlobs } = this.setup;
    this.#codec ??= new BlobCodec({
      key,
      random: this.#random,
      compression,
      version,
      verify: verifyBlobs,
    });
    return this.#codec;
  }

  get chunker(): Chunker {
    this.#chunker ??= createChunker(this.setup.chunkerPolynomial);
    return this.#chunker;
  }

  get table(): BlobTable {
    if (this.setup.table === undefined) throw new Error("this worker was given no blob table");
    this.#table ??= new BlobTable(this.setup.table);
    return this.#table;
  }

  /** Collects the data blobs that this worker stores. */
  get packer(): Packer {
    const { codec, table } = this;
    const { packSizeBytes } = this.setup;
    this.#packer ??= new Packer({ codec, table, type: "data", packSizeBytes });
    return this.#packer;
  }
}

/** The result of a task, and the buffers in it that move to the main thread instead of being copied. */
export interface TaskResult<Output> {
  readonly output: Output;
  readonly transfer?: readonly ArrayBuffer[];
}

/** The functions that do an area's tasks. */
export type HandlersFor<Area> = {
  readonly [K in keyof Area]: Area[K] extends { input: infer Input; output: infer Output }
    ? (context: WorkerContext, input: Input) => TaskResult<Output>
    : never;
};
