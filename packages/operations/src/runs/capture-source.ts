import {
  type BackupType,
  ComebackError,
  displayText,
  type Instant,
  isComebackError,
  type PinnedSource,
} from "@comeback/core";
import {
  backup,
  type BackupOptions,
  type BackupProgress,
  type BackupResult,
  copyToSeveral,
  instantOfMilliseconds,
  type Snapshot,
} from "@comeback/engine";
import { chooseParent } from "./choose-parent.ts";
import type { LiveDestination } from "./live-destination.ts";
import { type ActiveStage, textOf } from "./run-recorder.ts";
import type { RunServices } from "./run-services.ts";
import { snapshotTags } from "./snapshot-tags.ts";

/** Problems of a source that are named one by one in the log. */
const PROBLEMS_LOGGED_MAX = 100;

export type ChangeDetection = Pick<BackupOptions, "ignoreCtime" | "ignoreInode" | "withAtime">;

export interface CaptureOptions {
  readonly services: RunServices;
  readonly runId: string;
  readonly plan: string;
  readonly source: string;
  readonly tags: readonly string[];
  readonly detection: ChangeDetection;
  readonly planTags: readonly string[];
  readonly pinned: PinnedSource;
  /** The moment that it shows. */
  readonly atMs: number;
  readonly type: BackupType;
  readonly destinations: readonly LiveDestination[];
  readonly dryRun: boolean;
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
  readonly failed: readonly { readonly destination: LiveDestination; readonly error: unknown }[];
}

/**
 * Reads a source once and stores it in all destinations: in the first that takes it, and from there
 * in all others side by side. A destination that fails is left behind, and told.
 */
export async function captureSource(options: CaptureOptions): Promise<Capture> {
  const failed: { destination: LiveDestination; error: unknown }[] = [];
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
    const first = { destination, snapshot };
    const rest = options.destinations.slice(place + 1);
    const copied = await copyToRest(options, { from: destination, snapshot, rest });
    return {
      ...done,
      stored: [first, ...copied.stored],
      failed: [...failed, ...copied.failed],
    };
  }
  throw new ComebackError("backup.destination", "no destination takes the source", {
    why: failed.map(({ destination }) => `${destination.name} failed`).join(", "),
    next: "look at what each of them said above",
  });
}

function isAboutRepository(error: unknown): error is ComebackError {
  return isComebackError(error) && /^(?:backend|repository|key)\./.test(error.code);
}

interface CapturedOnce {
  readonly type: BackupType;
  readonly parent: Snapshot | undefined;
  readonly result: BackupResult;
}

async function captureInto(
  destination: LiveDestination,
  options: CaptureOptions,
): Promise<CapturedOnce> {
  const { services, pinned, stage, plan, source, dryRun } = options;
  const { host } = services;
  const { repository, mayWrite, signal: lockSignal } = await destination.open();
  const signal = AbortSignal.any([stage.signal, lockSignal]);
  await mayWrite;
  await repository.loadIndex({ signal });
  const wish = { type: options.type, plan, source, host, notAfterMs: options.atMs };
  const { type, parent } = await chooseParent(repository, wish, signal);
  if (type !== options.type) {
    stage.log(`there is nothing to compare with: ${options.type} becomes ${type}`);
  }
  const isForced = type === "full";
  const { paths } = pinned.source;
  const which = { hostname: host, paths, parent, isForced };
  const kept = dryRun ? undefined : await services.checkpointOf(repository, which);
  let logged = 0;
  const tags = snapshotTags({ plan, source, backupType: type, runId: options.runId });
  const result = await backup({
    repository,
    source: pinned.source,
    time: instantOf(options.atMs),
    hostname: host,
    tags: [...new Set([...tags, ...options.planTags, ...options.tags])],
    ...(parent === undefined ? {} : { parent }),
    ...kept,
    ...options.detection,
    ...(pinned.ignoresInodes === true ? { ignoreInode: true } : {}),
    dryRun,
    programVersion: services.programVersion,
    mayWrite,
    signal,
    observer: {
      onStart: (progress) => services.observer.onProgress?.(() => liveText(source, progress)),
      onProblem: ({ path, message }) => {
        if (logged++ < PROBLEMS_LOGGED_MAX)
          stage.log(`${displayText(path)}: ${message}`, "warning");
      },
    },
  });
  services.observer.onProgress?.(undefined);
  return { type, parent, result };
}

function instantOf(atMs: number): Instant {
  return instantOfMilliseconds(atMs);
}

function liveText(
  source: string,
  { bytesDone, bytesTotal, filesDone }: Readonly<BackupProgress>,
): { doneBytes: number; totalBytes: number; text: string } {
  return { doneBytes: bytesDone, totalBytes: bytesTotal, text: `${source}: ${filesDone} files` };
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
  const failed: { destination: LiveDestination; error: unknown }[] = [];
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
