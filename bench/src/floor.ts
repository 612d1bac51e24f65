/**
 * The floor of a first backup: the same bytes through the same native primitives (cut points,
 * SHA-256, zstd, AES, Poly1305, and the same again backwards), on as many threads, from memory.
 * No file system, no walk, no trees, no index, no messages. What a backup takes beyond it is ours.
 */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  BlobCodec,
  createChunker,
  generateMasterKey,
  sealedBound,
  sha256,
} from "@comeback/engine/internal";
import { systemRandom } from "@comeback/platform";

const POLYNOMIAL = 0x3da3358b4dc173n;
const ARENA_BYTES = 8 * 1024 * 1024;

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Pieces of at most the arena's size, so that large files spread over the threads. */
function load(folder: string, part: number, parts: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let number = 0;
  for (const file of filesBelow(folder)) {
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length; at += ARENA_BYTES) {
      if (number++ % parts === part) pieces.push(bytes.subarray(at, at + ARENA_BYTES));
    }
  }
  return pieces;
}

function process(pieces: readonly Uint8Array[]): number {
  const codec = new BlobCodec({
    key: generateMasterKey(systemRandom),
    random: systemRandom,
    compression: "auto",
    version: 2,
    verify: true,
  });
  const chunker = createChunker(POLYNOMIAL);
  const target = new Uint8Array(sealedBound(ARENA_BYTES));
  const seen = new Set<string>();
  const startMs = performance.now();
  for (const piece of pieces) {
    chunker.input.set(piece);
    for (let start = 0; start < piece.length;) {
      const size = chunker.nextCut(start, piece.length, true);
      const plaintext = chunker.input.subarray(start, start + size);
      const id = sha256(plaintext);
      const known = id.toString("latin1");
      if (!seen.has(known)) codec.seal("data", id, plaintext, target);
      seen.add(known);
      start += size;
    }
  }
  return performance.now() - startMs;
}

if (isMainThread) {
  const folder = globalThis.process.argv[2];
  if (folder === undefined) throw new Error("usage: floor.ts FOLDER");
  const threads = availableParallelism();
  const workers = Array.from(
    { length: threads },
    (_, part) => new Worker(new URL(import.meta.url), { workerData: { folder, part, threads } }),
  );
  // All start at once, after every one has its bytes in memory.
  await Promise.all(
    workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))),
  );
  const startMs = performance.now();
  await Promise.all(
    workers.map((worker) => {
      worker.postMessage("go");
      return new Promise((resolve) => worker.once("message", resolve));
    }),
  );
  console.log(
    `${folder}: ${((performance.now() - startMs) / 1000).toFixed(2)} s on ${threads} threads`,
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
} else {
  const { folder, part, threads } = workerData as { folder: string; part: number; threads: number };
  const pieces = load(folder, part, threads);
  parentPort?.postMessage("ready");
  parentPort?.once("message", () => parentPort?.postMessage(process(pieces)));
}
