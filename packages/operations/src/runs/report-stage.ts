import { THROUGHPUT_MIN_BYTES } from "@comeback/core";
import { listSnapshots } from "@comeback/engine";
import { recordSnapshotFiles } from "../catalog/record-snapshot-files.ts";
import { saveThroughput } from "../status/recovery-time.ts";
import type { LiveDestination } from "./live-destination.ts";
import { textOf } from "./run-recorder.ts";
import { type RunState, type SourceRun, writtenDestinations } from "./run-state.ts";

const HISTORY_TIDIED_EVERY_MS = 24 * 3600 * 1000;
const TIDIED_NOTE = "history-tidied";

/**
 * Takes into the catalog what only can be seen afterwards: which files a snapshot changed, how large
 * the repositories have become; and lets go of history that is too old to be kept.
 */
export async function reportStage(state: RunState): Promise<void> {
  const { recorder, request, sources } = state;
  if (request.dryRun) return;
  const hasFiles = sources.some(
    ({ failure, records }) => failure === undefined && records.length > 0,
  );
  if (!hasFiles) return;
  await recorder.stage({ stage: "report" }, async (stage) => {
    const parts = [
      ...sources.map((source) => () => recordFiles(state, source, stage.signal)),
      ...writtenDestinations(state).map((one) => () => recordSize(state, one, stage.signal)),
      () => recordThroughput(state),
      () => tidyHistory(state),
    ];
    for (const record of parts) {
      await record().catch((error: unknown) => {
        stage.signal.throwIfAborted();
        // History is lost by it, and no backup.
        stage.warn(`not all could be recorded: ${textOf(error)}`);
      });
    }
  });
}

async function recordFiles(state: RunState, source: SourceRun, outer: AbortSignal): Promise<void> {
  const { catalog: store } = state;
  const stored = source.capture?.stored[0];
  const record = source.records[0];
  if (source.failure !== undefined || stored === undefined || record === undefined) return;
  const { repository, signal: lockSignal } = await stored.destination.open();
  const signal = AbortSignal.any([outer, lockSignal]);
  await repository.loadIndex({ includeMarked: true, signal });
  await recordSnapshotFiles({ store, repository, snapshot: stored.snapshot, record, signal });
}

async function recordSize(
  { services, catalog }: RunState,
  destination: LiveDestination,
  outer: AbortSignal,
): Promise<void> {
  const { repository, signal: lockSignal } = await destination.open();
  const signal = AbortSignal.any([outer, lockSignal]);
  let [packs, sizeBytes] = [0, 0];
  for await (const pack of repository.backend.list("pack", { signal })) {
    packs++;
    sizeBytes += pack.sizeBytes;
  }
  const { length: snapshots } = await listSnapshots(repository, {}, { signal });
  const atMs = services.clock.now();
  const { name } = destination;
  await catalog.saveStatistics({ destination: name, atMs, snapshots, packs, sizeBytes });
}

/** How fast the plan's data was moved: where all of it was read, or much was new. */
async function recordThroughput({ catalog, request, sources }: RunState): Promise<void> {
  let [bytes, ms] = [0, 0];
  for (const { capture, failure } of sources) {
    if (capture === undefined || failure !== undefined) continue;
    const { summary } = capture.result;
    const isWhole = capture.type === "full";
    if (!isWhole && summary.data_added < THROUGHPUT_MIN_BYTES) continue;
    bytes += isWhole ? summary.total_bytes_processed : summary.data_added;
    ms += Math.max(1, Date.parse(summary.backup_end) - Date.parse(summary.backup_start));
  }
  if (bytes > 0) await saveThroughput(catalog, request.plan, { bytes, ms });
}

async function tidyHistory({ services, catalog }: RunState): Promise<void> {
  const { clock, configuration } = services;
  const last = Number((await catalog.readNote(TIDIED_NOTE)) ?? 0);
  if (clock.now() - last < HISTORY_TIDIED_EVERY_MS) return;
  await catalog.removeRunsBefore(clock.now() - configuration.keepHistory);
  await catalog.saveNote(TIDIED_NOTE, String(clock.now()));
}
