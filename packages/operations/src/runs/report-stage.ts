import { listSnapshots } from "@comeback/engine";
import { recordSnapshotFiles } from "../catalog/record-snapshot-files.ts";
import type { LiveDestination } from "./live-destination.ts";
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
    for (const source of sources) await recordFiles(state, source, stage.signal);
    for (const destination of writtenDestinations(state)) {
      await recordSize(state, destination, stage.signal);
    }
    await tidyHistory(state);
  });
}

async function recordFiles(state: RunState, source: SourceRun, outer: AbortSignal): Promise<void> {
  const { services } = state;
  const stored = source.capture?.stored[0];
  const record = source.records[0];
  if (source.failure !== undefined || stored === undefined || record === undefined) return;
  const { repository, signal: lockSignal } = await stored.destination.open();
  const signal = AbortSignal.any([outer, lockSignal]);
  await repository.loadIndex({ includeMarked: true, signal });
  const { catalog: store } = services;
  await recordSnapshotFiles({ store, repository, snapshot: stored.snapshot, record, signal });
}

async function recordSize(
  { services }: RunState,
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
  await services.catalog.saveStatistics({ destination: name, atMs, snapshots, packs, sizeBytes });
}

async function tidyHistory({ services }: RunState): Promise<void> {
  const { catalog, clock, configuration } = services;
  const last = Number((await catalog.readNote(TIDIED_NOTE)) ?? 0);
  if (clock.now() - last < HISTORY_TIDIED_EVERY_MS) return;
  await catalog.removeRunsBefore(clock.now() - configuration.keepHistory);
  await catalog.saveNote(TIDIED_NOTE, String(clock.now()));
}
