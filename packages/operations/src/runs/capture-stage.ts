import {
  type CatalogStore,
  COMPARED_CAPTURES_MAX,
  ComebackError,
  type SnapshotRecord,
  type SourceItem,
} from "@comeback/core";
import type { Snapshot } from "@comeback/engine";
import type { SourceSettings } from "../configuration/schema/source.ts";
import { type Capture, captureSource, type ChangeDetection } from "./capture-source.ts";
import { type CapturedAmount, compareWithHistory } from "./compare-with-history.ts";
import { pinSource } from "./pin-source.ts";
import { type ActiveStage, textOf, worse } from "./run-recorder.ts";
import { failSource, type RunState, type SourceRun, writtenDestinations } from "./run-state.ts";

/** Captures one source, compares it with before, and writes down what became of it. */
export async function captureStage(
  state: RunState,
  source: SourceRun,
  until?: AbortSignal,
): Promise<void> {
  const { recorder } = state;
  const { name, settings } = source;
  const { retries, timeout } = settings;
  const wish = { stage: "capture", subject: name, retries, timeoutMs: timeout, until } as const;
  const result = await recorder.stage(wish, async (stage) => {
    const destinations = writtenDestinations(state);
    if (destinations.length === 0) {
      throw new ComebackError("backup.destination", "there is no destination left to write to", {
        next: "see above why each of them failed",
      });
    }
    // A second try finds the source as it is then.
    await using pinned = source.pinned ?? (await pinSource(state, source, stage));
    source.pinned = undefined;
    const capture = await captureSource({
      services: state.services,
      runId: state.runId,
      plan: state.request.plan,
      source: name,
      tags: settings.tags,
      detection: detectionOf(settings),
      planTags: state.plan.tags,
      pinned,
      atMs: source.atMs ?? state.services.clock.now(),
      type: state.request.type,
      destinations,
      dryRun: state.request.dryRun,
      stage,
    });
    source.capture = capture;
    await judge(state, source, { capture, stage, items: pinned.items, missing: pinned.missing() });
    return capture;
  });
  if (!result.ok) {
    failSource(source, textOf(result.error));
    return;
  }
  source.outcome = worse(source.outcome, result.outcome);
  for (const { destination, error } of result.value.failed) {
    state.destinations.delete(destination.name);
    recorder.note("failed", textOf(error), destination.name);
  }
}

/** How changes of files are noticed, where the source is one of files. */
function detectionOf(settings: SourceSettings): ChangeDetection {
  if (settings.kind !== "files" && settings.kind !== "configuration") return {};
  const { ignoreCtime, ignoreInode, withAtime } = settings.settings;
  return { ignoreCtime, ignoreInode, withAtime };
}

async function judge(
  state: RunState,
  source: SourceRun,
  found: {
    readonly capture: Capture;
    readonly stage: ActiveStage;
    readonly items: readonly SourceItem[];
    readonly missing: readonly (SourceItem & { readonly reason: string })[];
  },
): Promise<void> {
  const { capture, stage, missing } = found;
  const { services, request, recorder, runId } = state;
  const { result } = capture;
  const { summary, problemCount } = result;
  for (const { kind, name, reason } of missing) {
    recorder.log("error", `${kind} ${name} is missing: ${reason}`, {
      stage: "capture",
      subject: source.name,
    });
  }
  const gone = new Set(missing.map(({ kind, name }) => `${kind}\0${name}`));
  const items = found.items.filter(({ kind, name }) => !gone.has(`${kind}\0${name}`));
  const amount: CapturedAmount = {
    atMs: source.atMs ?? services.clock.now(),
    backupType: capture.type,
    files: summary.total_files_processed,
    sizeBytes: summary.total_bytes_processed,
    addedBytes: summary.data_added,
    items,
  };
  const before = await baseline(services.catalog, state, source.name);
  source.deviations = request.accept
    ? []
    : compareWithHistory(amount, before, source.settings.expect);
  for (const { message, reaction } of source.deviations) {
    stage.warn(message);
    if (reaction === "fail") recorder.note("failed", message, source.name);
  }
  if (problemCount > 0) stage.warn(`${problemCount} files could not be read as they should be`);
  if (missing.length > 0) {
    const first = missing[0]!;
    const message = `${missing.length} missing: ${first.name}: ${first.reason}`;
    stage.warn(message);
    recorder.note("failed", message, source.name);
  }
  const isWhole = problemCount === 0 && missing.length === 0 && source.deviations.length === 0;
  const outcome = isWhole ? "ok" : "warning";
  source.outcome = worse(source.outcome, missing.length > 0 ? "failed" : outcome);
  source.records = capture.stored.map(({ destination, snapshot, copiedFrom }) =>
    recordOf({
      ...amount,
      runId,
      plan: request.plan,
      source: source.name,
      destination: destination.name,
      snapshot,
      copiedFrom,
      storedBytes: summary.data_added_packed,
      outcome,
    }),
  );
  for (const record of source.records) {
    await recorder.save(() => services.catalog.saveSnapshot(record));
  }
  const added = `${summary.data_added} new bytes, ${summary.data_added_packed} stored`;
  stage.log(
    `${summary.total_files_processed} files, ${summary.total_bytes_processed} bytes; ${added}`,
  );
}

export function recordOf(
  given: Omit<SnapshotRecord, "snapshotId"> & { readonly snapshot: Pick<Snapshot, "id"> },
): SnapshotRecord {
  const { snapshot, ...rest } = given;
  return { ...rest, snapshotId: snapshot.id };
}

/** Earlier captures, newest first, beginning with the newest complete one. */
async function baseline(
  catalog: CatalogStore,
  { request, runId, recorder }: RunState,
  source: string,
): Promise<CapturedAmount[]> {
  let records: SnapshotRecord[] = [];
  await recorder.save(async () => {
    records = await catalog.listSnapshots({
      plan: request.plan,
      source,
      limit: COMPARED_CAPTURES_MAX,
    });
  });
  const seen = new Set<string>([runId]);
  const captures = records.filter(({ runId: id, copiedFrom }) => {
    if (copiedFrom !== undefined || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
  const first = captures.findIndex(({ outcome }) => outcome === "ok");
  return first < 0 ? [] : captures.slice(first);
}
