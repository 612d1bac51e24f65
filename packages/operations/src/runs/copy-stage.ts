import { ComebackError } from "@comeback/core";
import { copy, listSnapshots, type Snapshot } from "@comeback/engine";
import type { CopySettings } from "../configuration/schema/plan.ts";
import { orderCopies } from "../copies/order-copies.ts";
import { selectForCopy } from "../copies/select-snapshots.ts";
import { QuietWindows } from "../schedule/quiet-windows.ts";
import { recordOf } from "./capture-stage.ts";
import type { LiveDestination } from "./live-destination.ts";
import { type ActiveStage, textOf } from "./run-recorder.ts";
import type { RunState } from "./run-state.ts";
import { readSnapshotTags } from "./snapshot-tags.ts";
import { timezoneOf } from "./timezone-of.ts";

/**
 * Makes the plan's copies, one after the other, each from where the one before it led. What a failed
 * one did not bring, the next run's brings.
 */
export async function copyStage(state: RunState): Promise<void> {
  const { plan, request } = state;
  const named = request.part === "all" ? undefined : new Set(request.part.copies);
  for (const settings of orderCopies(plan.copies, plan.to)) {
    const isDue = named === undefined ? settings.schedule === undefined : named.has(settings.to);
    if (isDue) await copyOne(state, settings);
  }
}

async function copyOne(state: RunState, settings: CopySettings): Promise<void> {
  const { recorder, request, destinations, services } = state;
  const { from, to, retries } = settings;
  const wish = { stage: "copy", subject: `${from} → ${to}`, retries } as const;
  await recorder.stage(wish, async (stage) => {
    if (settings.window !== undefined) {
      if (windowLeftMs(state, settings.window) === 0) {
        stage.skip(`it waits for its window, ${settings.window}`);
        return;
      }
    }
    const [source, target] = [destinations.get(from), destinations.get(to)];
    if (source === undefined || target === undefined) {
      throw new ComebackError("copy.incomplete", `${source === undefined ? from : to} is missing`, {
        why: "it could not be opened, as told above",
        next: "the next run makes up for it",
      });
    }
    if (target.settings.replica !== undefined) {
      if (request.dryRun) stage.skip("a dry run copies nothing");
      else stage.log(await services.replicate({ from, to }, stage.signal));
      return;
    }
    await copySnapshots(state, { settings, source, target, stage });
  });
}

interface CopyJob {
  readonly settings: CopySettings;
  readonly source: LiveDestination;
  readonly target: LiveDestination;
  readonly stage: ActiveStage;
}

async function copySnapshots(state: RunState, job: CopyJob): Promise<void> {
  const { services, request } = state;
  const { source, target, stage } = job;
  const from = await source.open();
  const to = await target.open();
  const signal = windowed(state, job, AbortSignal.any([stage.signal, from.signal, to.signal]));
  const wanted = await awaitingCopy(state, { ...job, signal });
  if (wanted.length === 0) {
    stage.log("there is nothing that is not there already");
    return;
  }
  if (request.dryRun) {
    stage.skip(`would copy ${wanted.length} snapshots`);
    return;
  }
  await from.repository.loadIndex({ includeMarked: true, signal });
  await to.mayWrite;
  await to.repository.loadIndex({ signal });
  const result = await copy({
    source: from.repository,
    target: to.repository,
    snapshots: wanted,
    mayWrite: to.mayWrite,
    signal,
    observer: {
      onStart: (progress) =>
        services.observer.onProgress?.(() => ({
          doneBytes: progress.bytesDone,
          totalBytes: progress.bytesTotal,
          text: `${source.name} → ${target.name}`,
        })),
      onProblem: ({ message }) => stage.log(message, "error"),
    },
  });
  services.observer.onProgress?.(undefined);
  for (const { snapshot, copy: made, action } of result.outcomes) {
    if (made !== undefined && action === "copied") {
      await recordCopy(state, { snapshot, made, from: source.name, to: target.name });
    }
  }
  stage.log(`${result.copied} snapshots copied, ${result.bytesStored} bytes stored`);
  if (result.failed === 0) return;
  throw new ComebackError("copy.incomplete", `${result.failed} snapshots could not be copied`, {
    why: "what they need is damaged or missing where they come from",
    next: `run \`comeback -r ${source.name} check --read-data\``,
  });
}

/** Ends with the window that the copy may run in. */
function windowed(state: RunState, { settings }: CopyJob, signal: AbortSignal): AbortSignal {
  const { window } = settings;
  if (window === undefined) return signal;
  const { clock } = state.services;
  const leftMs = windowLeftMs(state, window);
  const stop = new AbortController();
  clock.sleep(leftMs, signal).then(
    () =>
      stop.abort(
        new ComebackError("copy.incomplete", "the window has ended", {
          why: `copies run ${window} only`,
          next: "the rest follows in the next window",
        }),
      ),
    () => undefined,
  );
  return AbortSignal.any([signal, stop.signal]);
}

/** How long a window is still open; 0 outside of it. */
function windowLeftMs({ services, plan }: RunState, window: string): number {
  const { clock, configuration } = services;
  const windows = new QuietWindows([window], timezoneOf(configuration, plan));
  return windows.firstOpen(clock.now()) - clock.now();
}

/** The snapshots of this plan that a copy has still to bring. */
export async function awaitingCopy(
  state: RunState,
  job: {
    readonly settings: CopySettings;
    readonly source: LiveDestination;
    readonly target: LiveDestination;
    readonly signal: AbortSignal;
  },
): Promise<Snapshot[]> {
  const { services, request, plan } = state;
  const { settings, source, target, signal } = job;
  const filter = { hosts: [services.host], tags: [[`plan:${request.plan}`]] };
  const [from, to] = [await source.open(), await target.open()];
  const [here, there] = await Promise.all([
    listSnapshots(from.repository, filter, { signal }),
    listSnapshots(to.repository, filter, { signal }),
  ]);
  return selectForCopy(here, there, {
    only: settings.only,
    keep: settings.keep ?? target.settings.keep,
    nowMs: services.clock.now(),
    timezone: timezoneOf(services.configuration, plan),
  });
}

async function recordCopy(
  { services, recorder, request, runId }: RunState,
  copied: {
    readonly snapshot: Snapshot;
    readonly made: Snapshot;
    readonly from: string;
    readonly to: string;
  },
): Promise<void> {
  const { snapshot, made, from, to } = copied;
  const tags = readSnapshotTags(snapshot.tags);
  if (tags === undefined) return;
  await recorder.save(async () => {
    const known = await services.catalog.listSnapshots({
      plan: request.plan,
      source: tags.source,
      destination: from,
      runId: tags.runId,
      limit: 1,
    });
    const { summary } = snapshot;
    await services.catalog.saveSnapshot(
      recordOf({
        runId,
        plan: request.plan,
        source: tags.source,
        destination: to,
        snapshot: made,
        copiedFrom: snapshot.id,
        backupType: tags.backupType,
        atMs: Date.parse(snapshot.time),
        files: summary?.total_files_processed ?? 0,
        sizeBytes: summary?.total_bytes_processed ?? 0,
        addedBytes: summary?.data_added ?? 0,
        storedBytes: summary?.data_added_packed ?? 0,
        items: known[0]?.items ?? [],
        outcome: known[0]?.outcome ?? "ok",
      }),
    );
  });
}

/** Why a copy could not be looked at, for those that only need to know what is still to come. */
export function unknownCopies(error: unknown): string {
  return `it cannot be seen what is still to be copied: ${textOf(error)}`;
}
