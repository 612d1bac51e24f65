import type { CatalogStore } from "@comeback/core";
import { type Configuration, type RecoveryTime, recoveryTimeOf } from "@comeback/operations";
import type { Metric } from "./metric.ts";
import { planMetrics } from "./plan-metrics.ts";

export interface MetricsSources {
  readonly configuration: Configuration;
  readonly catalog: Pick<CatalogStore, "planStates" | "listProofs" | "readNote">;
  readonly version: string;
  readonly nowMs: number;
  /** What the daemon has counted; nothing where none runs. */
  readonly counted: readonly Metric[];
  /** Whether the file, as it is now, is what runs; `undefined` where no daemon runs. */
  readonly isConfigurationCurrent?: boolean;
  nextStartOf(plan: string): number | undefined;
  /** How many undo entries are left over. */
  undoLeftOver(): Promise<number>;
}

/** All there is to say. What cannot be found out is left out, and says so in a metric of its own. */
export async function collectMetrics(sources: MetricsSources): Promise<Metric[]> {
  const { configuration, catalog, nowMs, isConfigurationCurrent } = sources;
  const states = await catalog.planStates(Object.keys(configuration.plans)).catch(() => undefined);
  const recoveryTimes = new Map<string, RecoveryTime>();
  for (const state of states ?? []) {
    if (configuration.plans[state.plan]?.objectives.rto === undefined) continue;
    const time = await recoveryTimeOf(catalog, state).catch(() => undefined);
    if (time !== undefined) recoveryTimes.set(state.plan, time);
  }
  const leftOver = await sources.undoLeftOver().catch(() => undefined);
  const gauge = (name: string, help: string, value: number | undefined): Metric => ({
    name: `comeback_${name}`,
    type: "gauge",
    help,
    samples: value === undefined ? [] : [{ value }],
  });
  return [
    gauge("up", "1 while the daemon runs.", isConfigurationCurrent === undefined ? undefined : 1),
    {
      name: "comeback_build_info",
      type: "gauge",
      help: "The version that runs.",
      samples: [{ labels: { version: sources.version }, value: 1 }],
    },
    gauge(
      "configuration_current",
      "0 where the configuration that runs is older than the file, which has a mistake.",
      isConfigurationCurrent === undefined ? undefined : Number(isConfigurationCurrent),
    ),
    gauge("catalog_readable", "0 where the catalog cannot be read.", Number(states !== undefined)),
    gauge("undo_left_over", "What a run did to a system and has not been undone.", leftOver),
    gauge("metrics_timestamp_seconds", "When this was collected.", nowMs / 1000),
    ...(states === undefined
      ? []
      : planMetrics({
          configuration,
          states,
          recoveryTimes,
          nowMs,
          nextStartOf: (plan) => sources.nextStartOf(plan),
        })),
    ...sources.counted,
  ];
}
