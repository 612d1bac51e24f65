import type {
  BackupType,
  PinnedSource,
  ProtectedSource,
  RunOutcome,
  RunTrigger,
  SnapshotRecord,
  SnapshotView,
} from "@comeback/core";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import type { SourceSettings } from "../configuration/schema/source.ts";
import type { Capture } from "./capture-source.ts";
import type { Deviation } from "./compare-with-history.ts";
import type { LiveDestination } from "./live-destination.ts";
import type { RunRecorder } from "./run-recorder.ts";
import type { RunServices } from "./run-services.ts";

export interface RunRequest {
  readonly plan: string;
  /** Default: incremental. */
  readonly type: BackupType;
  readonly trigger: RunTrigger;
  readonly scheduledForMs?: number | undefined;
  /** Only these sources; all of the plan if not given. */
  readonly only?: readonly string[] | undefined;
  /** Looks, reads and plans, and changes nothing anywhere. */
  readonly dryRun: boolean;
  /** What deviates from before is right as it is, and the new baseline. */
  readonly accept: boolean;
  /** `copies`: nothing is captured; the copies named (by target) are made, and retention. */
  readonly part: "all" | { readonly copies: readonly string[] };
}

/** One source in the course of a run. */
export interface SourceRun {
  readonly name: string;
  readonly settings: SourceSettings;
  protected: ProtectedSource | undefined;
  view: SnapshotView | undefined;
  pinned: PinnedSource | undefined;
  /** The moment that it shows, once that is fixed. */
  atMs: number | undefined;
  capture: Capture | undefined;
  /** What the catalog has of it. */
  records: readonly SnapshotRecord[];
  deviations: readonly Deviation[];
  outcome: RunOutcome;
  /** Why it is out of this run. */
  failure: string | undefined;
}

export interface RunState {
  readonly services: RunServices;
  readonly request: RunRequest;
  readonly plan: PlanSettings;
  readonly recorder: RunRecorder;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly sources: readonly SourceRun[];
  /** Those that can be written, by name; one that fails goes out. */
  readonly destinations: Map<string, LiveDestination>;
}

/** Sources that are still part of the run. */
export function liveSources({ sources }: RunState): SourceRun[] {
  return sources.filter(({ failure }) => failure === undefined);
}

/** The destinations that the plan itself writes, without those that failed. */
export function writtenDestinations({ plan, destinations }: RunState): LiveDestination[] {
  return plan.to.flatMap((name) => destinations.get(name) ?? []);
}

export function failSource(source: SourceRun, why: string): void {
  source.failure ??= why;
  source.outcome = "failed";
}

/** What was captured of a source turns out not to be what it should: it counts for nothing. */
export async function spoilSource(
  { recorder, services }: RunState,
  source: SourceRun,
  why: string,
): Promise<void> {
  failSource(source, why);
  source.records = source.records.map((record) => ({ ...record, outcome: "failed" }));
  for (const record of source.records) {
    await recorder.save(() => services.catalog.saveSnapshot(record));
  }
}
