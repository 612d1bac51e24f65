import { type Outcome, runSchedule } from "./schedule.ts";

/** How often each operation ended in each way, and how many calls were made in all. */
export interface Totals {
  readonly counts: Map<string, number>;
  calls: number;
}

/** Runs the schedules of these seeds; the first that breaks a promise ends it, with its trace. */
export async function runSeeds(first: number, count: number): Promise<Totals> {
  const totals: Totals = { counts: new Map(), calls: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const result = await runSchedule(seed);
    totals.calls += result.calls;
    for (const [key, times] of result.counts) {
      totals.counts.set(key, (totals.counts.get(key) ?? 0) + times);
    }
  }
  return totals;
}

export function timesOf({ counts }: Totals, operation: string, outcome: Outcome): number {
  return counts.get(`${operation}: ${outcome}`) ?? 0;
}
