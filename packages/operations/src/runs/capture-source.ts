import {
  type BackupType,
  ComebackError,
  displayText,
  formatMany,
  isComebackError,
  type PinnedSource,
  TOTALS_DELAY_MS,
} from "@comeback/core";
import {
  backup,
  type BackupOptions,
  type BackupOutcome,
  type BackupProgress,
  type BackupResult,
  copyToSeveral,
  instantOfMilliseconds,
  type Snapshot,
} from "@comeback/engine";
import { chooseParent } from "./choose-parent.ts";
import { type Judgement, judgeCapture } from "./judge-capture.ts";
import type { LiveDestination } from "./live-destination.ts";
import { type ActiveStage, textOf } from "./run-recorder.ts";
import type { LiveProgress } from "./run-services.ts";
import type { RunState, SourceRun } from "./run-state.ts";
import { snapshotTags } from "./snapshot-tags.ts";
import { unprovenSnapshots } from "./source-history.ts";

/** Problems of a source that are named one by one in the log. */
const PROBLEMS_LOGGED_MAX = 100;

export type ChangeDetection = Pick<BackupOptions, "ignoreCtime" | "ignoreInode" | "withAtime">;

export interface CaptureOptions {
  readonly state: RunState;
  readonly source: SourceRun;
  readonly detection: ChangeDetection;
  /** Fixes the moment; called again for the next destination, since a pinned source is read once. */
  readonly pin: () => Promise<PinnedSource>;
  readonly destinations: readonly LiveDestination[];
  readonly stage: ActiveStage;
}

/** A source's snapshot in one destination. */
export interface CapturedIn {
  readonly destination: LiveDestination;
  readonly snapshot: Snapshot;
  readonly copiedFrom?: string;
}

export interface Capture {
  readonly type: BackupType;
  readonly result: BackupResult;
  readonly parent: Snapshot | undefined;
  readonly stored: readonly CapturedIn[];
  readonly failed: readonly FailedDestination[];
  readonly judgement: Judgement;
}

interface FailedDestination {
  readonly destination: LiveDestination;
  readonly error: unknown;
}

/**
 * Reads a source once and stores it in all destinations: in the first that takes it, and from there
 * in all others side by side. A destination that fails is left behind, and told.
 */
export async function captureSource(options: CaptureOptions): Promise<Capture> {
  const failed: FailedDestination[] = [];
  for (const [place, destination] of options.destinations.entries()) {
    let done: CapturedOnce;
    try {
      done = await captureInto(destination, options);
    } catch (error) {
      options.stage.signal.throwIfAborted();
      // What is wrong with the source would be wrong with it in the next one, too.
      if (!isAboutRepository(error)) throw error;
      options.stage.warn(`${destination.name}: ${textOf(error)}`);
      failed.push({ destination, error });
      continue;
    }
    const { snapshot } = done.result;
    if (snapshot === undefined) return { ...done, stored: [], failed };
    const rest = options.destinations.slice(place + 1);
    const copied = await copyToRest(options, { from: destination, snapshot, rest });
    const stored = [{ destination, snapshot }, ...copied.stored];
    return { ...done, stored, failed: [...failed, ...copied.failed] };
  }
  throw new ComebackError("backup.destination", "no destination takes the source", {
    why: failed.map(({ destination, error }) => `${destination.name}: ${textOf(error)}`).join("; "),
    cause: failed.at(-1)?.error,
  });
}

function isAboutRepository(error: unknown): error is ComebackError {
  return isComebackError(error) && /^(?:backend|repository|key)\./.test(error.code);
}

type CapturedOnce = Omit<Capture, "stored" | "failed">;

async function captureInto(
  destination: LiveDestination,
  options: CaptureOptions,
): Promise<CapturedOnce> {
  const { state, source, stage } = options;
  const { services, request, runId, plan } = state;
  const { host } = services;
  const { repository, mayWrite, signal: lockSignal } = await destination.open();
  const signal = AbortSignal.any([stage.signal, lockSignal]);
  await mayWrite;
  await repository.loadIndex({ signal });
  await using pinned = await options.pin();
  const atMs = source.atMs ?? services.clock.now();
  const about = { plan: request.plan, source: source.name };
  const spoilt = await unprovenSnapshots(state, destination.name);
  const wish = { type: request.type, ...about, host, notAfterMs: atMs, spoilt };
  const { type, parent } = await chooseParent(repository, wish, signal);
  if (type !== request.type) {
    stage.log(`there is nothing to compare with: ${request.type} becomes ${type}`);
  }
  const { paths } = pinned.source;
  const which = { hostname: host, paths, parent, isForced: type === "full" };
  const kept = request.dryRun ? undefined : await services.checkpointOf(repository, which);
  let judgement: Judgement | undefined;
  const judge = ({ summary, problemCount }: BackupOutcome): Promise<Judgement> => {
    const read = { items: pinned.items, missing: pinned.missing() };
    return judgeCapture(state, source, { ...read, type, summary, problemCount });
  };
  const tags = async (done: BackupOutcome): Promise<string[]> => {
    judgement = await judge(done);
    const isKnown = judgement.isCompared && source.isProven;
    const outcome = isKnown ? judgement.outcome : undefined;
    const own = snapshotTags({ ...about, backupType: type, runId, outcome });
    return [...new Set([...own, ...plan.tags, ...source.settings.tags])];
  };
  let logged = 0;
  try {
    const result = await backup({
      repository,
      source: pinned.source,
      time: instantOfMilliseconds(atMs),
      hostname: host,
      tags,
      ...(parent === undefined ? {} : { parent }),
      ...kept,
      ...options.detection,
      ...(pinned.ignoresInodes === true ? { ignoreInode: true } : {}),
      dryRun: request.dryRun,
      programVersion: services.programVersion,
      mayWrite,
      signal,
      observer: {
        // Files are counted ahead, for a bar that knows its end; what programs print cannot be.
        totalsAfterMs: source.settings.kind === "files" ? TOTALS_DELAY_MS : undefined,
        onStart: (progress) =>
          services.observer.onProgress?.(() => liveText(source.name, progress)),
        onProblem: ({ path, message }) => {
          if (logged++ >= PROBLEMS_LOGGED_MAX) return;
          stage.log(`${displayText(path)}: ${message}`, "warning");
        },
      },
    });
    return { type, parent, result, judgement: judgement ?? (await judge(result)) };
  } finally {
    services.observer.onProgress?.(undefined);
  }
}

function liveText(
  source: string,
  { bytesDone, bytesTotal, totalsKnown, filesDone }: Readonly<BackupProgress>,
): LiveProgress {
  const totalBytes = totalsKnown ? bytesTotal : 0;
  return { doneBytes: bytesDone, totalBytes, text: `${source}: ${formatMany(filesDone, "file")}` };
}

async function copyToRest(
  { stage }: CaptureOptions,
  given: {
    readonly from: LiveDestination;
    readonly snapshot: Snapshot;
    readonly rest: readonly LiveDestination[];
  },
): Promise<Pick<Capture, "stored" | "failed">> {
  const { from, snapshot, rest } = given;
  if (rest.length === 0) return { stored: [], failed: [] };
  const source = await from.open();
  const outcomes = await copyToSeveral({
    source: source.repository,
    snapshots: [snapshot],
    destinations: rest.map((destination) => ({ open: () => destination.open() })),
    signal: AbortSignal.any([stage.signal, source.signal]),
  });
  const stored: CapturedIn[] = [];
  const failed: FailedDestination[] = [];
  for (const [place, outcome] of outcomes.entries()) {
    const destination = rest[place]!;
    const copy = outcome.status === "fulfilled" ? outcome.value.outcomes[0]?.copy : undefined;
    if (copy !== undefined) {
      stored.push({ destination, snapshot: copy, copiedFrom: snapshot.id });
      continue;
    }
    const error: unknown = outcome.status === "rejected" ? outcome.reason : notCopied(snapshot);
    stage.warn(`${destination.name}: ${textOf(error)}`);
    failed.push({ destination, error });
  }
  return { stored, failed };
}

function notCopied({ id }: Snapshot): ComebackError {
  return new ComebackError("copy.incomplete", `snapshot ${id.slice(0, 8)} could not be copied`, {
    next: "run `comeback check` on the repository that it comes from",
  });
}
