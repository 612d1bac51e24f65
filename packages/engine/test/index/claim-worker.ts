import { parentPort, workerData } from "node:worker_threads";
import { SeededRandom } from "@comeback/testkit";
import { BlobTable, idWordsFromBytes, type SharedBlobTable } from "../../src/index/blob-table.ts";

/** Claims the same blobs as its siblings, each thread in another order; reports what it got. */
const { shared, start, thread, threads, idCount } = workerData as {
  shared: SharedBlobTable;
  start: SharedArrayBuffer;
  thread: number;
  threads: number;
  idCount: number;
};
const random = new SeededRandom(11);
const ids = Array.from({ length: idCount }, () => {
  return idWordsFromBytes(random.bytes(32), new Uint32Array(8));
});
const gate = new Int32Array(start);
// All begin at the same moment, or the first one would have claimed everything.
if (Atomics.add(gate, 0, 1) === threads - 1) Atomics.notify(gate, 0);
for (let seen = Atomics.load(gate, 0); seen < threads; seen = Atomics.load(gate, 0)) {
  Atomics.wait(gate, 0, seen, 10);
}
const table = new BlobTable(shared);
const claimed: [number, number][] = [];
for (let i = 0; i < idCount; i++) {
  // Threads 0 and 2 go up, 1 and 3 down: they meet in the middle and race all along.
  const id = thread % 2 === 0 ? i : idCount - 1 - i;
  const entry = table.claim("data", ids[id] as Uint32Array);
  if (entry >= 0) claimed.push([id, entry]);
}
const port = parentPort;
if (port === null) throw new Error("this file runs as a worker thread");
port.postMessage(claimed);
