import type {
  CatalogStore,
  Clock,
  LogRecord,
  Notification,
  ProtectedSource,
  Random,
  RunRecord,
  Snapshotter,
  StageRecord,
} from "@comeback/core";
import type { BackupOptions, Repository, Snapshot } from "@comeback/engine";
import type { Configuration } from "../configuration/schema/configuration.ts";
import type { SourceSettings } from "../configuration/schema/source.ts";
import type { KitFile } from "./bootstrap-kit.ts";
import type { ActionServices } from "../undo/undo-services.ts";
import type { UndoStack } from "../undo/undo-stack.ts";

/** A destination's repository, open, and with our lock in it. */
export interface OpenDestination extends AsyncDisposable {
  readonly repository: Repository;
  /** Resolves when it may be written. */
  readonly mayWrite: Promise<void>;
  /** Aborts when its lock is lost. */
  readonly signal: AbortSignal;
}

export type KeptCheckpoint = Pick<BackupOptions, "checkpoint" | "resumeFrom">;

/** Something that goes on for a while, for whoever draws it. */
export interface LiveProgress {
  readonly doneBytes: number;
  /** Grows while the end is not yet known. */
  readonly totalBytes: number;
  readonly text: string;
}

export interface RunObserver {
  onRun?(run: RunRecord): void;
  onStage?(stage: StageRecord): void;
  onLog?(line: LogRecord): void;
  /** Asked for as often as somebody draws; `undefined` when that is over. */
  onProgress?(read: (() => LiveProgress) | undefined): void;
}

/** The world of a run: all that it works with, handed in. */
export interface RunServices {
  readonly configuration: Configuration;
  readonly catalog: CatalogStore;
  readonly clock: Clock;
  readonly random: Random;
  /** What snapshots are saved under. */
  readonly host: string;
  readonly programVersion: string;
  readonly stateFolder: string;
  readonly actor: string;
  readonly actions: ActionServices;
  readonly observer: RunObserver;
  openDestination(
    name: string,
    options: {
      readonly activity?: "prune";
      /** Default: true. */
      readonly useCache?: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<OpenDestination>;
  /** Bytes that are free where a destination lies; `undefined` where nobody can tell. */
  freeBytes(destination: string, signal: AbortSignal): Promise<number | undefined>;
  checkpointOf(
    repository: Repository,
    backup: {
      readonly hostname: string;
      readonly paths: readonly string[];
      readonly parent: Snapshot | undefined;
      readonly isForced: boolean;
    },
  ): Promise<KeptCheckpoint | undefined>;
  readonly signal: AbortSignal;
  /** The kit's files as a source. */
  makeKit(files: readonly KitFile[]): ProtectedSource;
  makeSource(settings: SourceSettings): ProtectedSource;
  makeSnapshotter(name: string): Snapshotter;
  openUndo(run: { readonly runId: string; readonly plan: string }): Promise<UndoStack>;
  /** Clears what earlier runs left behind; tells what it did, line by line. */
  undoLeftOver(signal: AbortSignal, onLine: (line: string) => void): Promise<void>;
  /** Makes the folder of one repository like another's; tells what it did. */
  replicate(
    copy: { readonly from: string; readonly to: string },
    signal: AbortSignal,
  ): Promise<string>;
  /** The configuration's files, as they are, for the bootstrap kit. */
  readonly configurationFiles: readonly { readonly path: string; readonly text: string }[];
  notify(channels: readonly string[], notification: Notification): Promise<void>;
}
