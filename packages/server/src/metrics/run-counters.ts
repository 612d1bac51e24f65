import { RUN_OUTCOMES } from "@comeback/core";
import { MISS_REASONS } from "../scheduler/schedule-state.ts";
import type { SchedulerEvent } from "../scheduler/scheduler.ts";
import type { Metric, Sample } from "./metric.ts";

/** What happened since the daemon was started; Prometheus knows that counters begin anew. */
export class RunCounters {
  readonly #runs: Map<string, Sample> = new Map();
  readonly #misses: Map<string, Sample> = new Map();
  #catalogFailures = 0;

  /** So that a series is there, at 0, before its first event: an increase is then seen. */
  prepare(plans: readonly string[]): void {
    for (const plan of plans) {
      for (const outcome of RUN_OUTCOMES) add(this.#runs, { plan, outcome }, 0);
      for (const reason of MISS_REASONS) add(this.#misses, { plan, reason }, 0);
    }
  }

  count(event: SchedulerEvent): void {
    if (event.kind === "catalog-failed") this.#catalogFailures++;
    if (event.kind === "ended" && event.request.job.kind !== "digest") {
      add(this.#runs, { plan: event.request.plan, outcome: event.outcome }, 1);
    }
    if (event.kind === "missed") {
      const missed = event.momentsMs.length + event.omitted;
      add(this.#misses, { plan: event.plan, reason: event.reason }, missed);
    }
  }

  metrics(): Metric[] {
    return [
      {
        name: "comeback_runs_total",
        type: "counter",
        help: "Runs that the daemon started and that ended, by outcome.",
        samples: [...this.#runs.values()],
      },
      {
        name: "comeback_schedule_misses_total",
        type: "counter",
        help: "Moments of schedules at which nothing was started, by reason.",
        samples: [...this.#misses.values()],
      },
      {
        name: "comeback_catalog_failures_total",
        type: "counter",
        help: "Times that the daemon could not read or write the catalog.",
        samples: [{ value: this.#catalogFailures }],
      },
    ];
  }
}

function add(
  to: Map<string, Sample>,
  labels: Readonly<Record<string, string>>,
  value: number,
): void {
  const key = JSON.stringify(labels);
  to.set(key, { labels, value: (to.get(key)?.value ?? 0) + value });
}
