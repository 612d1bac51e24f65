import { parentPort, workerData } from "node:worker_threads";
import type { Seeds, Totals } from "./run-seeds.ts";
import { runSchedule } from "./schedule.ts";

const { first, count } = workerData as Seeds;
const totals: Totals = { counts: new Map(), calls: 0, hashes: [] };
for (let seed = first; seed < first + count; seed++) {
  const result = await runSchedule(seed);
  totals.calls += result.calls;
  totals.hashes.push(result.hash);
  for (const [key, times] of result.counts) {
    totals.counts.set(key, (totals.counts.get(key) ?? 0) + times);
  }
}
parentPort?.postMessage(totals);
