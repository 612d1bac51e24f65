import {
  FILE_BATCH_MAX_BYTES,
  FILE_BATCH_MAX_FILES,
  FILES_IN_FLIGHT_MAX,
  LARGE_FILES_IN_FLIGHT_MAX,
  type ByteString,
  ComebackError,
  type EntryContent,
  messageOf,
  type SourceEntry,
  WHOLE_FILE_MAX_BYTES,
} from "@comeback/core";
import type { FileStatus } from "@comeback/platform";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { formatTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";
import { idList } from "./id-list.ts";
import { type LargeFileContext, storeLargeFile } from "./large-file.ts";
import type { PackStore } from "./pack-store.ts";
import type { ProgressMeter } from "./progress-meter.ts";
import { expectedOf } from "./store-files.ts";
import { storeStream, StreamFailure } from "./stream-file.ts";
import type { FileIssue, StoredBlobs, StoreFilesOutput } from "./tasks.ts";
import type { PendingDirectory, TreeBuilder } from "./tree-builder.ts";

/** A file whose content is wanted, and where its node belongs. */
export interface FileJob {
  readonly entry: SourceEntry;
  readonly node: TreeNode;
  readonly directory: PendingDirectory;
  readonly place: number;
  readonly action: "new" | "changed";
}

export interface FileContentOptions {
  readonly pool: CpuPool;
  readonly packStore: PackStore;
  readonly trees: TreeBuilder;
  readonly meter: ProgressMeter;
  readonly chunkerPolynomial: bigint;
  readonly signal: AbortSignal;
}

/**
 * Gets the contents of files stored by the workers: small ones in batches, large ones in ranges
 * that all workers share, streams chunk by chunk. At most FILES_IN_FLIGHT_MAX files are under way.
 */
export class FileContent {
  readonly #options: FileContentOptions;
  readonly #tasks = new Set<Promise<void>>();
  #batch: FileJob[] = [];
  #batchBytes = 0;
  #filesInFlight = 0;
  #largeInFlight = 0;
  #failure: unknown;

  constructor(options: FileContentOptions) {
    this.#options = options;
  }

  /** Takes a file on. Resolves when the walk may go on; the content may still be under way. */
  add(job: FileJob): Promise<void> | undefined {
    const { content, metadata } = job.entry;
    if (content?.kind === "stream") return this.#addStream(job, content);
    if (metadata.sizeBytes >= WHOLE_FILE_MAX_BYTES) return this.#addLarge(job);
    this.#batch.push(job);
    this.#batchBytes += metadata.sizeBytes;
    const full =
      this.#batch.length >= FILE_BATCH_MAX_FILES || this.#batchBytes >= FILE_BATCH_MAX_BYTES;
    return full ? this.#sendBatch() : undefined;
  }

  /** Sends what is waiting, and resolves once every file is stored. */
  async finish(): Promise<void> {
    await this.#sendBatch();
    while (this.#tasks.size > 0) await Promise.race(this.#tasks);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #sendBatch(): Promise<void> {
    const jobs = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (jobs.length === 0) return;
    await this.#room(() => this.#filesInFlight < FILES_IN_FLIGHT_MAX);
    const { pool } = this.#options;
    await pool.room();
    this.#filesInFlight += jobs.length;
    const input = {
      paths: jobs.map(({ entry }) => contentPath(entry)),
      expected: jobs.map(({ entry }) => expectedOf(entry.metadata)),
    };
    const task = pool.run("archive.files", input).then((output) => {
      this.#filesInFlight -= jobs.length;
      this.#onBatch(jobs, output);
    });
    this.#track(task);
  }

  #onBatch(jobs: readonly FileJob[], output: StoreFilesOutput): void {
    this.#keep(output);
    const issues = new Map(output.issues.map((issue) => [issue.index, issue]));
    let chunk = 0;
    for (const [i, job] of jobs.entries()) {
      const count = output.chunkCounts[i] as number;
      const issue = issues.get(i);
      const content = idList(output.ids, chunk, count);
      chunk += count;
      if (issue?.kind === "grown") {
        this.#track(this.#large(job));
        continue;
      }
      if (issue !== undefined && !this.#settleIssue(job, issue)) continue;
      this.#done(job, content, output.sizesBytes[i] as number, {
        added: output.added[i] as number,
        packed: output.addedPacked[i] as number,
      });
    }
  }

  /** Reports an issue; false where there is no content to go on with. */
  #settleIssue(job: FileJob, issue: FileIssue): boolean {
    if (issue.kind === "updated") {
      if (issue.status !== undefined) describeAsRead(job.node, issue.status);
      return true;
    }
    this.#options.meter.problem({ path: job.entry.path, during: "read", message: issue.message });
    if (issue.kind === "changing") return true;
    this.#dropped(job);
    return false;
  }

  async #addLarge(job: FileJob): Promise<void> {
    await this.#sendBatch();
    await this.#room(() => this.#largeInFlight < LARGE_FILES_IN_FLIGHT_MAX);
    this.#track(this.#large(job));
  }

  async #large(job: FileJob): Promise<void> {
    this.#largeInFlight++;
    try {
      const { path } = job.entry;
      const outcome = await storeLargeFile(this.#context(), contentPath(job.entry));
      if (outcome.problem !== undefined) {
        this.#options.meter.problem({ path, during: "read", message: outcome.problem });
      }
      if (outcome.status !== undefined) describeAsRead(job.node, outcome.status);
      if (outcome.content === undefined) this.#dropped(job);
      else this.#done(job, outcome.content, outcome.bytesRead, outcome);
    } finally {
      this.#largeInFlight--;
    }
  }

  async #addStream(
    job: FileJob,
    content: Extract<EntryContent, { readonly kind: "stream" }>,
  ): Promise<void> {
    const { chunkerPolynomial, meter, signal } = this.#options;
    try {
      const outcome = await storeStream(this.#context(), content, chunkerPolynomial);
      this.#done(job, outcome.content, outcome.bytesRead, outcome);
    } catch (error) {
      if (!(error instanceof StreamFailure)) throw error;
      signal.throwIfAborted();
      if (content.isolated !== true) throw error.cause;
      meter.problem({ path: job.entry.path, during: "read", message: describeCause(error.cause) });
      this.#dropped(job);
    }
  }

  #context(): LargeFileContext {
    const { pool, packStore, signal } = this.#options;
    return { pool, packStore, signal, keep: (stored) => this.#keep(stored) };
  }

  #keep(output: StoredBlobs): void {
    const { meter, packStore } = this.#options;
    meter.stored(output);
    for (const pack of output.packs) packStore.add(pack, "data");
  }

  #done(
    job: FileJob,
    content: readonly string[],
    bytesRead: number,
    stored: { readonly added: number; readonly packed: number },
  ): void {
    job.node.content = content;
    // What was read is what is stored, whatever the walk saw.
    job.node.size = bytesRead;
    const { meter, trees } = this.#options;
    meter.fileDone(job.entry.path, job.action, bytesRead, stored.added, stored.packed);
    trees.complete(job.directory, job.place, job.node);
  }

  #dropped(job: FileJob): void {
    this.#options.trees.complete(job.directory, job.place, undefined);
  }

  /** Follows a task to its end, so that its failure is not lost and `finish` waits for it. */
  #track(task: Promise<void>): void {
    const tracked: Promise<void> = task
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }

  /** Waits until `isFree`, and for room among the uploads; fails when anything has failed. */
  async #room(isFree: () => boolean): Promise<void> {
    const { packStore, signal } = this.#options;
    while (this.#failure === undefined && !isFree()) await Promise.race(this.#tasks);
    if (this.#failure !== undefined) throw this.#failure;
    await packStore.room();
    signal.throwIfAborted();
  }
}

function describeCause(cause: unknown): string {
  const why = cause instanceof ComebackError ? cause.why : undefined;
  return why === undefined ? messageOf(cause) : `${messageOf(cause)}: ${why}`;
}

function contentPath(entry: SourceEntry): ByteString {
  return entry.content?.kind === "path" ? entry.content.path : entry.path;
}

/** A file may have changed between the walk and the reading: its node tells of what was read. */
function describeAsRead(node: TreeNode, status: FileStatus): void {
  const atimeIsMtime = node.atime === node.mtime;
  node.inode = status.inode;
  node.mtime = formatTime(status.mtime);
  node.ctime = formatTime(status.ctime);
  if (atimeIsMtime) node.atime = node.mtime;
}
