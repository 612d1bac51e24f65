import type { CatalogStore, RunRecord, SnapshotRecord } from "@comeback/core";
import type { Snapshot } from "@comeback/engine";
import { readSnapshotTags, type RunTags } from "../runs/snapshot-tags.ts";

export interface RebuildCatalogOptions {
  readonly store: CatalogStore;
  /** The destination's name, under which its snapshots are recorded. */
  readonly destination: string;
  /** All of the destination's repository. */
  readonly snapshots: readonly Snapshot[];
  readonly signal?: AbortSignal;
}

export interface RebuildSummary {
  /** Records that were made. */
  readonly runs: number;
  readonly snapshots: number;
  /** Snapshots that were recorded already. */
  readonly known: number;
  /** Whose they are, known ones too; in order of their names. */
  readonly hosts: readonly string[];
  /** Snapshots that no run made: their tags do not say whose they are. */
  readonly foreign: number;
}

const MESSAGES = {
  ok: "the snapshots that it made are complete",
  warning: "not everything that it read was complete or as expected",
  unknown: "whether what it read was complete is not known",
} as const;

/**
 * Fills snapshots and their runs back from what a repository holds. What the catalog knows already
 * is left as it is. Each snapshot is its hostname's: hosts may share a repository. A snapshot's tags
 * say whether it is complete; where they do not, it counts as a warning, never as ok, and so does its
 * run. What else a run did, log lines, proofs and the audit log are not brought back.
 */
export async function rebuildCatalog(options: RebuildCatalogOptions): Promise<RebuildSummary> {
  const { store, destination, snapshots, signal } = options;
  const made = { runs: 0, snapshots: 0, known: 0, foreign: 0 };
  const runs = new Map<string, RunRecord>();
  const hosts = new Set<string>();
  for (const snapshot of snapshots) {
    signal?.throwIfAborted();
    const tags = readSnapshotTags(snapshot.tags ?? []);
    if (tags === undefined) {
      made.foreign++;
      continue;
    }
    const snapshotId = snapshot.id;
    const host = snapshot.hostname ?? store.host;
    hosts.add(host);
    const hostStore = store.forHost(host);
    const [known] = await hostStore.listSnapshots({ destination, snapshotId, limit: 1 });
    if (known === undefined) {
      await hostStore.saveSnapshot(snapshotRecord(snapshot, tags, destination));
      made.snapshots++;
    } else {
      made.known++;
    }
    // A copy bears the tags of the run that captured it.
    runs.set(tags.runId, mergeRuns(runRecord(snapshot, tags, host), runs.get(tags.runId)));
  }
  for (const run of runs.values()) {
    signal?.throwIfAborted();
    if ((await store.findRun(run.id)) !== undefined) continue;
    await store.forHost(run.host).saveRun(run);
    made.runs++;
  }
  return { ...made, hosts: [...hosts].toSorted() };
}

function snapshotRecord(snapshot: Snapshot, tags: RunTags, destination: string): SnapshotRecord {
  const { summary, original } = snapshot;
  return {
    runId: tags.runId,
    plan: tags.plan,
    source: tags.source,
    destination,
    snapshotId: snapshot.id,
    ...(original === undefined ? {} : { copiedFrom: original }),
    backupType: tags.backupType,
    atMs: Date.parse(snapshot.time),
    files: summary?.total_files_processed ?? 0,
    sizeBytes: summary?.total_bytes_processed ?? 0,
    addedBytes: summary?.data_added ?? 0,
    storedBytes: summary?.data_added_packed ?? 0,
    items: [],
    outcome: tags.outcome ?? "warning",
  };
}

function runRecord(snapshot: Snapshot, tags: RunTags, host: string): RunRecord {
  const { runId, plan, backupType, outcome } = tags;
  const { summary, time } = snapshot;
  const startedAtMs = Date.parse(summary?.backup_start ?? time);
  return {
    id: runId,
    plan,
    host,
    trigger: "rebuilt",
    backupType,
    startedAtMs,
    endedAtMs: Math.max(startedAtMs, Date.parse(summary?.backup_end ?? time)),
    outcome: outcome ?? "warning",
    message: `rebuilt from the repository: ${MESSAGES[outcome ?? "unknown"]}`,
    processId: 0,
  };
}

/** From the first of its snapshots to the last, and as good as the worst of them. */
function mergeRuns(run: RunRecord, other: RunRecord | undefined): RunRecord {
  if (other === undefined) return run;
  const { outcome, message } = run.outcome === "ok" ? other : run;
  return {
    ...run,
    outcome,
    message,
    startedAtMs: Math.min(run.startedAtMs, other.startedAtMs),
    endedAtMs: Math.max(run.endedAtMs ?? 0, other.endedAtMs ?? 0),
  };
}
