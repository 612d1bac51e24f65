import type {
  BackupType,
  CatalogStore,
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
  /** It was pinned while the service was at rest: that moment does not come again. */
  isPinnedAtRest: boolean;
  capture: Capture | undefined;
  /** What the catalog has of it, or will have once `isProven`. */
  records: readonly SnapshotRecord[];
  /**
   * Whether what it was read from is known to have stayed as it was. Until then the catalog has its
   * snapshots as failed: so they are where the run dies before anybody has looked.
   */
  isProven: boolean;
  deviations: readonly Deviation[];
  /** False where nobody could say what was there before: unknown is not the same as unchanged. */
  isCompared: boolean;
  outcome: RunOutcome;
  /** Why it is out of this run. */
  failure: string | undefined;
}

export interface RunState {
  readonly services: RunServices;
  /** Where the run writes; what a dry run says to it is lost. */
  readonly catalog: CatalogStore;
  readonly request: RunRequest;
  readonly plan: PlanSettings;
  readonly recorder: RunRecorder;
  readonly runId: string;
  /** Aborts at the plan's time limit, too. */
  readonly signal: AbortSignal;
  readonly sources: readonly SourceRun[];
  /** What brings the configuration back, once it was captured. */
  kit?: SourceRun | undefined;
  /** Those that can be written, by name; one that fails goes out. */
  readonly destinations: Map<string, LiveDestination>;
}

export function makeSourceRun(name: string, settings: SourceSettings): SourceRun {
  return {
    name,
    settings,
    protected: undefined,
    view: undefined,
    pinned: undefined,
    atMs: undefined,
    isPinnedAtRest: false,
    capture: undefined,
    records: [],
    isProven: true,
    deviations: [],
    isCompared: true,
    outcome: "ok",
    failure: undefined,
  };
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
export async function spoilSource(state: RunState, source: SourceRun, why: string): Promise<void> {
  failSource(source, why);
  source.isProven = false;
  source.records = source.records.map((record) => ({ ...record, outcome: "failed" }));
  await saveRecords(state, source);
}

/** What was captured of a source is known to be what it should. */
export async function proveSource(state: RunState, source: SourceRun): Promise<void> {
  if (source.isProven) return;
  source.isProven = true;
  await saveRecords(state, source);
}

/** Writes down what was captured; as failed, as long as that is not known to be right. */
export async function saveRecords(
  { recorder, catalog }: RunState,
  { records, isProven }: SourceRun,
): Promise<void> {
  for (const record of records) {
    const outcome = isProven ? record.outcome : "failed";
    await recorder.save(() => catalog.saveSnapshot({ ...record, outcome }));
  }
}

/** Whose snapshot is worth having: it was captured, and nothing has spoilt it since. */
export function isCaptured({ capture, failure }: SourceRun): boolean {
  return capture !== undefined && failure === undefined;
}
