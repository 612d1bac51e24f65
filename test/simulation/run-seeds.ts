import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Outcome } from "./schedule.ts";

export interface Seeds {
  readonly first: number;
  readonly count: number;
}

/** How often each operation ended in each way, how many calls were made in all, and each trace's hash. */
export interface Totals {
  readonly counts: Map<string, number>;
  calls: number;
  readonly hashes: string[];
}

/**
 * Runs the schedules of these seeds; the first that breaks a promise ends it, with its trace. In a
 * thread of its own: in the test's, Node's runner follows every promise to the test that made it,
 * which takes as long again as the schedules themselves.
 */
export async function runSeeds(first: number, count: number): Promise<Totals> {
  const workerData: Seeds = { first, count };
  const worker = new Worker(new URL("seeds-thread.ts", import.meta.url), { workerData });
  const [totals] = (await once(worker, "message")) as [Totals];
  await worker.terminate();
  return totals;
}

export function timesOf({ counts }: Totals, operation: string, outcome: Outcome): number {
  return counts.get(`${operation}: ${outcome}`) ?? 0;
}
