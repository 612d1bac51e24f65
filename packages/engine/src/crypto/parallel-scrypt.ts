import { pbkdf2Sync, scrypt } from "node:crypto";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { SCRYPT_MEMORY_MAX_BYTES, SCRYPT_PARALLEL_MAX_BYTES } from "@comeback/core";
import { RO_MIX_WASM_BASE64 } from "./ro-mix-wasm.ts";

export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const KEY_BYTES = 64;
/** With fewer blocks than this, starting threads costs what they save. */
const PARALLEL_MIN_BLOCKS = 4;
/** Blocks that a thread mixes at once. */
const LANES = 2;
/** Blocks beside the tables in a thread's memory: in and out, zeros, and four to mix in. */
const WORK_BLOCKS = 7;
const WASM_PAGE_BYTES = 65_536;

/**
 * What a thread runs: plain JavaScript as text, because it needs nothing of ours and must start at
 * once. Its memory is freed with the thread.
 */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const { wasm, pages, blocks, blockBytes, N, r } = workerData;
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
const { roMix } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } }).exports;
const lanes = new Uint8Array(memory.buffer, 0, ${LANES} * blockBytes);
for (let at = 0; at < blocks.length; at += lanes.length) {
  const part = blocks.subarray(at, at + lanes.length);
  lanes.set(part);
  roMix(N, r);
  part.set(lanes.subarray(0, part.length));
}
parentPort.postMessage(blocks);
`;

/**
 * scrypt (RFC 7914) of 64 bytes. Its p blocks do not depend on each other: several threads mix them
 * where that pays, and OpenSSL, which takes one after the other, where it does not.
 */
export async function deriveBytes(
  password: string,
  salt: Uint8Array,
  cost: ScryptCost,
): Promise<Buffer> {
  const threads = usefulThreads(cost);
  if (threads >= 2) {
    try {
      return await mixOnThreads(password, salt, cost, threads);
    } catch {
      // No memory for threads, or no SIMD: the slow way needs neither.
    }
  }
  return deriveAlone(password, salt, cost);
}

function deriveAlone(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { ...cost, maxmem: SCRYPT_MEMORY_MAX_BYTES + 1 };
    scrypt(password, salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** How many threads to use: as many as there are cores, pairs of blocks, and memory for. */
function usefulThreads({ N, r, p }: ScryptCost): number {
  if (p < PARALLEL_MIN_BLOCKS) return 1;
  const threadBytes = 128 * r * (LANES * N + WORK_BLOCKS);
  const pairs = Math.ceil(p / LANES);
  return Math.min(
    availableParallelism(),
    pairs,
    Math.floor(SCRYPT_PARALLEL_MAX_BYTES / threadBytes),
  );
}

/** The same by hand: PBKDF2, the mixing on `threads` threads, and PBKDF2 again (section 6). */
export async function mixOnThreads(
  password: string,
  salt: Uint8Array,
  { N, r, p }: ScryptCost,
  threads: number,
): Promise<Buffer> {
  const blockBytes = 128 * r;
  const blocks = pbkdf2Sync(password, salt, 1, p * blockBytes, "sha256");
  const pages = Math.ceil((blockBytes * (LANES * N + WORK_BLOCKS)) / WASM_PAGE_BYTES);
  const wasm = Buffer.from(RO_MIX_WASM_BASE64, "base64");
  const pairs = Math.ceil(p / LANES);
  const parts = Array.from({ length: threads }, (_, thread) => {
    const [from, to] = [thread, thread + 1].map((t) => Math.round((pairs * t) / threads) * LANES);
    return blocks.subarray(from! * blockBytes, Math.min(p, to!) * blockBytes);
  });
  const results = await Promise.all(
    parts.map((part) => mixOnThread({ wasm, pages, blocks: part, blockBytes, N, r })),
  );
  const key = pbkdf2Sync(password, Buffer.concat(results), 1, KEY_BYTES, "sha256");
  for (const secret of [blocks, ...results]) secret.fill(0);
  return key;
}

function mixOnThread(workerData: object): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(THREAD, { eval: true, workerData, execArgv: [] });
    worker.once("message", resolve).once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a thread ended with code ${code}`)));
  });
}
