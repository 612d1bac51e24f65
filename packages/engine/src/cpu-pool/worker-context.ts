import type { Random } from "@comeback/core";
import { systemRandom } from "@comeback/platform";
import { type Chunker, createChunker } from "../chunker/chunker.ts";
import { BlobCodec } from "../crypto/blob-codec.ts";
import { BlobTable } from "../index/blob-table.ts";
import { Packer } from "../pack/packer.ts";
import type { WorkerSetup } from "./protocol.ts";

/** How a worker sees the repository that a copy reads. */
export interface CopySource {
  readonly table: BlobTable;
  readonly codec: BlobCodec;
}

/** What one worker thread owns. Each part is made when the first task needs it. */
export class WorkerContext implements Disposable {
  readonly setup: WorkerSetup;
  readonly #random: Random;
  #codec: BlobCodec | undefined;
  #chunker: Chunker | undefined;
  #table: BlobTable | undefined;
  #packer: Packer | undefined;
  #treePacker: Packer | undefined;
  #source: CopySource | undefined;

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

  /** The same for trees. */
  get treePacker(): Packer {
    const { codec, table } = this;
    const { packSizeBytes } = this.setup;
    this.#treePacker ??= new Packer({ codec, table, type: "tree", packSizeBytes });
    return this.#treePacker;
  }

  /** The repository that a copy reads. */
  get source(): CopySource {
    const { source, compression } = this.setup;
    if (source === undefined) throw new Error("this worker was given no source");
    this.#source ??= {
      table: new BlobTable(source.table),
      // It only opens: how it would seal does not matter.
      codec: new BlobCodec({
        key: source.key,
        random: this.#random,
        compression,
        version: 2,
        verify: false,
      }),
    };
    return this.#source;
  }

  /** Native memory, which no collector sees. */
  [Symbol.dispose](): void {
    this.#codec?.[Symbol.dispose]();
    this.#source?.codec[Symbol.dispose]();
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
