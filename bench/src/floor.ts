/**
 * The floor of a first backup: the same bytes through the same native primitives (cut points,
 * SHA-256, zstd, AES, Poly1305, and the same again backwards), on as many threads, from memory.
 * What occurs twice is stored once, by the same table. No file system, no walk, no trees, no packs,
 * no index files, no messages. What a backup takes beyond it is ours.
 */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  BlobCodec,
  BlobTable,
  type Chunker,
  createChunker,
  generateMasterKey,
  idWordsFromBytes,
  sealedBound,
  sha256,
} from "@comeback/engine/internal";
import { systemRandom } from "@comeback/platform";

const POLYNOMIAL = 0x3da3358b4dc173n;
const BLOB_MAX_BYTES = 8 * 1024 * 1024;
/** Work of one thread: whole chunks of one file that come to this much. */
const PIECE_BYTES = 8 * 1024 * 1024;

interface Input {
  readonly folder: string;
  readonly part: number;
  readonly threads: number;
  readonly table: BlobTable["shared"];
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The ends of the chunks of `bytes`. */
function cutsOf(chunker: Chunker, bytes: Uint8Array): number[] {
  const read = (target: Uint8Array, position: number): number => {
    const part = bytes.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  };
  return chunker.findCuts({ from: 0, to: bytes.length, read });
}

/** This thread's share. A large file is cut at ends of its chunks, so that it gives the same ones. */
function load(chunker: Chunker, { folder, part, threads }: Input): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let number = 0;
  for (const file of filesBelow(folder)) {
    const bytes = readFileSync(file);
    let start = 0;
    for (const end of bytes.length <= PIECE_BYTES ? [bytes.length] : cutsOf(chunker, bytes)) {
      if (end - start < PIECE_BYTES && end < bytes.length) continue;
      if (number++ % threads === part) pieces.push(bytes.subarray(start, end));
      start = end;
    }
  }
  return pieces;
}

function process(chunker: Chunker, table: BlobTable, pieces: readonly Uint8Array[]): number {
  const codec = new BlobCodec({
    key: generateMasterKey(systemRandom),
    random: systemRandom,
    compression: "auto",
    version: 2,
    verify: true,
  });
  const target = new Uint8Array(sealedBound(BLOB_MAX_BYTES));
  const words = new Uint32Array(8);
  const startMs = performance.now();
  for (const piece of pieces) {
    let start = 0;
    for (const end of cutsOf(chunker, piece)) {
      const plaintext = piece.subarray(start, end);
      const id = sha256(plaintext);
      if (table.claim("data", idWordsFromBytes(id, words)) >= 0) {
        codec.seal("data", id, plaintext, target);
      }
      start = end;
    }
  }
  return performance.now() - startMs;
}

if (isMainThread) {
  const folder = globalThis.process.argv[2];
  if (folder === undefined) throw new Error("usage: floor.ts FOLDER");
  const threads = availableParallelism();
  const table = BlobTable.create(0).shared;
  const workers = Array.from({ length: threads }, (_, part) => {
    const input: Input = { folder, part, threads, table };
    return new Worker(new URL(import.meta.url), { workerData: input });
  });
  // All start at once, after every one has its bytes in memory.
  await Promise.all(
    workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))),
  );
  const startMs = performance.now();
  const cpuBefore = globalThis.process.cpuUsage();
  await Promise.all(
    workers.map((worker) => {
      worker.postMessage("go");
      return new Promise((resolve) => worker.once("message", resolve));
    }),
  );
  const { user, system } = globalThis.process.cpuUsage(cpuBefore);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(2);
  const cpuSeconds = ((user + system) / 1e6).toFixed(2);
  console.log(`${folder}: ${seconds} s on ${threads} threads, ${cpuSeconds} s of processor time`);
  await Promise.all(workers.map((worker) => worker.terminate()));
} else {
  const input = workerData as Input;
  const chunker = createChunker(POLYNOMIAL);
  const pieces = load(chunker, input);
  parentPort?.postMessage("ready");
  parentPort?.once("message", () =>
    parentPort?.postMessage(process(chunker, new BlobTable(input.table), pieces)),
  );
}
