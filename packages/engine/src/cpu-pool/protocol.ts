import type { CompressionMode } from "../crypto/blob-codec.ts";
import type { MasterKey } from "../crypto/master-key.ts";
import type { SharedBlobTable } from "../index/blob-table.ts";
import type { ArchiveTasks } from "../archive/tasks.ts";
import type { CheckTasks } from "../check/tasks.ts";
import type { DumpTasks } from "../dump/tasks.ts";
import type { CopyTasks } from "../copy/tasks.ts";
import type { PruneTasks } from "../prune/tasks.ts";
import type { RestoreTasks } from "../restore/tasks.ts";

/** Every kind of work that a worker does: its input and its output. Both are copied or transferred. */
export interface Tasks
  extends ArchiveTasks, RestoreTasks, CheckTasks, CopyTasks, DumpTasks, PruneTasks {}

export type TaskKind = keyof Tasks;

/** What every worker needs before its first task. */
export interface WorkerSetup {
  readonly key: MasterKey;
  readonly version: 1 | 2;
  readonly compression: CompressionMode;
  readonly verifyBlobs: boolean;
  readonly packSizeBytes: number;
  readonly chunkerPolynomial: bigint;
  /** The index in shared memory, for work that stores blobs. */
  readonly table?: SharedBlobTable;
  /** The other repository, which a copy reads. */
  readonly source?: { readonly key: MasterKey; readonly table: SharedBlobTable };
}

/** The first message to a worker. */
export interface SetupMessage {
  readonly setup: WorkerSetup;
}

export interface TaskMessage {
  readonly number: number;
  readonly kind: TaskKind;
  readonly input: unknown;
}

export type ReplyMessage =
  | { readonly number: number; readonly output: unknown }
  | { readonly number: number; readonly error: SerializedError };

/** What is left of an error when it crosses threads. */
export interface SerializedError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly comeback?: {
    readonly code: string;
    readonly why: string | undefined;
    readonly next: string | undefined;
    readonly exitCode: number;
    readonly context: Readonly<Record<string, string | number | boolean>>;
  };
}
