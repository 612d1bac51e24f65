import { userInfo } from "node:os";
import type { EntryMetadata, SourceEntry, SourceSession } from "@comeback/core";
import { WALK_END_MAX_MS, WALK_SLICE_MS } from "@comeback/core";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { saveSnapshot } from "../repository/snapshots.ts";
import type { Snapshot, SnapshotFile, SnapshotSummary } from "../snapshot/snapshot.ts";
import { nodeFromMetadata } from "../tree/from-metadata.ts";
import { formatTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";
import type { BackupOptions, BackupResult } from "./backup-options.ts";
import { Checkpointer } from "./checkpointer.ts";
import { FileContent } from "./file-content.ts";
import { mergeOpenPacks } from "./merge-packs.ts";
import { NodeCursor } from "./node-cursor.ts";
import { PackStore } from "./pack-store.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { summaryOf } from "./summary.ts";
import { countTotals } from "./totals.ts";
import { pendingDirectory, type PendingDirectory, TreeBuilder } from "./tree-builder.ts";
import { type ChangeDetection, isContentUnchanged, isNodeUnchanged } from "./unchanged.ts";

/**
 * Backs a source up: walks it, compares with the parent snapshot, has the workers store what is
 * new, and writes trees, index and snapshot in that order. Entries that cannot be read are left
 * out and named in the result; everything else is saved.
 */
export async function backup(options: BackupOptions): Promise<BackupResult> {
  const run = new BackupRun(options);
  return run.execute();
}

/** One directory on the walk's stack. */
interface Frame {
  readonly directory: PendingDirectory;
  readonly entries: readonly SourceEntry[];
  /** The same directory in the parent snapshot. */
  readonly previous: NodeCursor;
  next: number;
}

/** An entry of the walk, with what is known of it from before. */
interface Visit {
  readonly entry: SourceEntry;
  readonly directory: PendingDirectory;
  readonly place: number;
  /** In the parent snapshot, and in the checkpoint. */
  readonly previous: TreeNode | undefined;
  readonly resumed: TreeNode | undefined;
}

class BackupRun {
  readonly #options: BackupOptions;
  readonly #startMs: number;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #meter: ProgressMeter;
  readonly #packStore: PackStore;
  readonly #trees: TreeBuilder;
  readonly #pool: CpuPool;
  readonly #files: FileContent;
  readonly #detection: ChangeDetection;
  readonly #checkpointer: Checkpointer | undefined;

  constructor(options: BackupOptions) {
    const { repository } = options;
    this.#options = options;
    this.#startMs = repository.clock.now();
    const signals = [this.#abort.signal];
    if (options.signal !== undefined) signals.push(options.signal);
    this.#signal = AbortSignal.any(signals);
    this.#meter = new ProgressMeter(options.observer);
    this.#detection = {
      ignoreCtime: options.ignoreCtime ?? false,
      ignoreInode: options.ignoreInode ?? false,
      withAtime: options.withAtime ?? false,
    };
    this.#packStore = new PackStore({
      repository,
      dryRun: options.dryRun ?? false,
      mayWrite: options.mayWrite ?? Promise.resolve(),
      signal: this.#signal,
      salvageMaxMs: options.salvageMaxMs,
      onStored: (bytes) => (this.#meter.live.bytesStored += bytes),
      onRoom: () => this.#pool.resume(),
    });
    this.#trees = new TreeBuilder({
      repository,
      packStore: this.#packStore,
      onDirectory: this.#directoryObserver(),
    });
    this.#pool = new CpuPool({
      setup: {
        key: repository.key,
        version: repository.config.version,
        compression: repository.compression,
        verifyBlobs: repository.verifyBlobs,
        packSizeBytes: repository.packSizeBytes,
        chunkerPolynomial: repository.config.chunkerPolynomial,
        table: repository.index.table.shared,
      },
      mayHandOut: (tasksUnderWay) => this.#packStore.mayFill(tasksUnderWay),
      ...(options.readConcurrency === undefined ? {} : { workers: options.readConcurrency }),
    });
    this.#files = new FileContent({
      pool: this.#pool,
      packStore: this.#packStore,
      trees: this.#trees,
      meter: this.#meter,
      chunkerPolynomial: repository.config.chunkerPolynomial,
      signal: this.#signal,
    });
    this.#checkpointer = this.#newCheckpointer();
  }

  async execute(): Promise<BackupResult> {
    const { source } = this.#options;
    const { clock } = this.#options.repository;
    const stopped = rejectionOf(this.#signal);
    try {
      await using session = await source.open({
        signal: this.#signal,
        onProblem: (problem) => this.#meter.problem(problem),
      });
      const totals = countTotals(source, this.#meter, this.#signal, clock);
      this.#checkpointer?.start();
      const storing = this.#store(session);
      try {
        await Promise.race([storing, stopped.promise]);
      } catch (error) {
        this.#abort.abort(error);
        await this.#pool[Symbol.asyncDispose]();
        // The session's folders stay open until the walk has noticed; a stream that hangs is left.
        await Promise.race([storing.catch(() => {}), clock.sleep(WALK_END_MAX_MS)]);
        throw error;
      }
      await totals.stop();
      return await this.#conclude();
    } catch (error) {
      this.#abort.abort(error);
      await (this.#checkpointer ?? this.#packStore).salvage();
      throw error;
    } finally {
      stopped.release();
      await this.#pool[Symbol.asyncDispose]();
    }
  }

  /** Walks the source and waits until all its content and trees are uploaded. */
  async #store(session: SourceSession): Promise<void> {
    await this.#walk(session);
    await this.#files.finish();
    const open = await this.#pool.runOnEach("archive.flush", null);
    for (const pack of mergeOpenPacks(this.#options.repository, open)) {
      this.#packStore.add(pack, "data");
    }
    this.#trees.finish();
    await this.#checkpointer?.stop();
    await this.#packStore.finish();
  }

  #newCheckpointer(): Checkpointer | undefined {
    const { repository, checkpoint, dryRun, hostname, source } = this.#options;
    if (checkpoint === undefined || dryRun === true) return undefined;
    return new Checkpointer({
      repository,
      checkpoint,
      hostname,
      paths: source.paths,
      trees: this.#trees,
      packStore: this.#packStore,
      meter: this.#meter,
    });
  }

  async #walk(session: SourceSession): Promise<void> {
    const root = pendingDirectory({
      entry: undefined,
      parent: undefined,
      place: 0,
      node: undefined,
      nodeUnchanged: true,
      previousTreeId: this.#options.parent?.tree,
      resumedTreeId: this.#options.resumeFrom?.tree,
    });
    this.#trees.open(root);
    const stack = [await this.#enter(root, await session.root())];
    let sliceEndMs = performance.now() + WALK_SLICE_MS;
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const entry = frame.entries[frame.next];
      if (entry === undefined) {
        stack.pop();
        // An entry of the parent snapshot that is gone makes the directory a changed one.
        if (frame.entries.length !== frame.previous.length) {
          frame.directory.unchanged = false;
        }
        frame.directory.resumed = undefined;
        this.#trees.release(frame.directory);
        continue;
      }
      const visit = beginVisit(frame, entry);
      if (entry.metadata.type === "dir") {
        const directory = this.#pending(visit);
        this.#trees.open(directory);
        stack.push(await this.#enter(directory, await session.list(entry)));
      } else {
        const wait = this.#visit(visit);
        if (wait !== undefined) await wait;
      }
      if (performance.now() > sliceEndMs) {
        // Lets uploads, timers and Ctrl-C have their turn.
        await new Promise((resolve) => setImmediate(resolve));
        this.#signal.throwIfAborted();
        sliceEndMs = performance.now() + WALK_SLICE_MS;
      }
    }
  }

  #pending({ entry, directory, place, previous, resumed }: Visit): PendingDirectory {
    const node = nodeFromMetadata(entry.name, entry.metadata, this.#detection);
    const isDirectory = previous?.type === "dir";
    const nodeUnchanged = isDirectory && isNodeUnchanged(previous, entry.metadata, this.#detection);
    return pendingDirectory({
      entry,
      parent: directory,
      place,
      node,
      nodeUnchanged,
      previousTreeId: isDirectory ? previous.subtree : undefined,
      resumedTreeId: resumed?.type === "dir" ? resumed.subtree : undefined,
    });
  }

  async #enter(directory: PendingDirectory, entries: readonly SourceEntry[]): Promise<Frame> {
    const { repository } = this.#options;
    const { previousTreeId, resumedTreeId } = directory;
    let previous: readonly TreeNode[] = [];
    if (previousTreeId !== undefined) {
      try {
        previous = await repository.loadTree(previousTreeId, { signal: this.#signal });
      } catch (error) {
        this.#signal.throwIfAborted();
        // Damage in the parent costs time, not the backup: everything below is read again.
        directory.unchanged = false;
        if (!this.#mayBeMarked(previousTreeId)) this.#reportLostTree(directory, error as Error);
      }
    }
    if (resumedTreeId !== undefined && resumedTreeId !== previousTreeId) {
      try {
        const nodes = await repository.loadTree(resumedTreeId, { signal: this.#signal });
        directory.resumed = new NodeCursor(nodes);
      } catch {
        this.#signal.throwIfAborted();
        // It costs what it would have saved, no more; but other trees may be lost with it.
        directory.storeAnew = true;
      }
    }
    directory.isEntered = true;
    return { directory, entries, previous: new NodeCursor(previous), next: 0 };
  }

  /**
   * A tree that no index file lists as in use, while there are packs that wait to be deleted: the
   * parent was made beside the marking, and the next prune takes its packs back. No damage.
   */
  #mayBeMarked(treeId: string): boolean {
    const { index } = this.#options.repository;
    return index.hasLeftOutMarked && index.find("tree", treeId).length === 0;
  }

  #reportLostTree(directory: PendingDirectory, error: Error): void {
    directory.storeAnew = true;
    this.#meter.problem({
      path: directory.path,
      during: "list",
      message: `the parent snapshot's tree cannot be read (${error.message}): all files here are read again`,
    });
  }

  /** Anything but a directory. Returns a promise where the walk has to wait. */
  #visit({ entry, directory, place, previous, resumed }: Visit): Promise<void> | undefined {
    const { metadata } = entry;
    const nodeUnchanged =
      previous !== undefined && isNodeUnchanged(previous, metadata, this.#detection);
    if (metadata.type !== "file") {
      if (!nodeUnchanged) directory.unchanged = false;
      const node = nodeUnchanged ? previous : this.#node(entry, metadata);
      this.#trees.complete(directory, place, node);
      return undefined;
    }
    const known = this.#knownContent(previous, entry);
    if (known !== undefined) {
      if (!nodeUnchanged) directory.unchanged = false;
      const node = nodeUnchanged ? previous : this.#node(entry, metadata);
      node.content = known;
      this.#trees.complete(directory, place, node);
      this.#meter.fileDone(entry.path, "unmodified", metadata.sizeBytes);
      return undefined;
    }
    directory.unchanged = false;
    const action = previous?.type === "file" ? "changed" : "new";
    const node = this.#node(entry, metadata);
    const resumedContent = this.#knownContent(resumed, entry);
    if (resumedContent !== undefined) {
      node.content = resumedContent;
      this.#trees.complete(directory, place, node);
      this.#meter.fileResumed(entry.path, action, metadata.sizeBytes);
      return undefined;
    }
    this.#meter.live.currentFile = entry.path;
    return this.#files.add({ entry, node, directory, place, action });
  }

  /** A file's content as a node from before has it, where it is the same and still stored. */
  #knownContent(node: TreeNode | undefined, entry: SourceEntry): readonly string[] | undefined {
    const isUnchanged =
      node !== undefined &&
      (entry.content?.kind !== "stream" || entry.content.comparable === true) &&
      isContentUnchanged(node, entry.metadata, this.#detection);
    if (!isUnchanged || node.content === null || node.content === undefined) return undefined;
    // A blob that the repository no longer holds: the file is read again.
    const { index } = this.#options.repository;
    for (const id of node.content) if (!index.has("data", id)) return undefined;
    return node.content;
  }

  #node(entry: SourceEntry, metadata: EntryMetadata): TreeNode {
    return nodeFromMetadata(entry.name, metadata, this.#detection);
  }

  #directoryObserver():
    | ((directory: PendingDirectory, action: "new" | "changed" | "unmodified") => void)
    | undefined {
    const onItem = this.#options.observer?.onItem?.bind(this.#options.observer);
    if (onItem === undefined) return undefined;
    return ({ path }, action) =>
      onItem({ path, type: "dir", action, dataAdded: 0, dataAddedPacked: 0, sizeBytes: 0 });
  }

  async #conclude(): Promise<BackupResult> {
    const { dryRun, skipIfUnchanged, parent, resumeFrom, repository, mayWrite } = this.#options;
    const meter = this.#meter;
    const treeId = this.#trees.rootTreeId;
    if (treeId === undefined) throw new Error("the walk ended without a root tree");
    const { counts } = this.#trees;
    const endMs = repository.clock.now();
    const summary = summaryOf({ startMs: this.#startMs, endMs, meter, counts });
    const unwanted = dryRun === true || (skipIfUnchanged === true && parent?.tree === treeId);
    let snapshot: Snapshot | undefined;
    if (!unwanted) {
      await mayWrite;
      const { tags = [] } = this.#options;
      const done = { summary, problemCount: meter.live.problems };
      const file = this.#snapshotFile(treeId, {
        summary,
        tags: typeof tags === "function" ? await tags(done) : tags,
      });
      snapshot = await saveSnapshot(repository, file, { signal: this.#signal });
    }
    await this.#checkpointer?.remove();
    const { problems } = meter;
    const resumed = resumeFrom === undefined ? undefined : meter.resumed;
    return { snapshot, treeId, summary, resumed, problems, problemCount: meter.live.problems };
  }

  #snapshotFile(
    tree: string,
    { summary, tags }: { readonly summary: SnapshotSummary; readonly tags: readonly string[] },
  ): SnapshotFile {
    const { parent, source, hostname, time, programVersion } = this.#options;
    const user = userInfo();
    return {
      time: formatTime(time),
      ...(parent === undefined ? {} : { parent: parent.id }),
      tree,
      paths: source.paths,
      hostname,
      username: user.username,
      uid: user.uid,
      gid: user.gid,
      excludes: source.excludes,
      tags,
      program_version: programVersion,
      summary,
    };
  }
}

/** Takes the frame's next entry on, and looks up what is known of it. */
function beginVisit(frame: Frame, entry: SourceEntry): Visit {
  const { directory, previous: cursor } = frame;
  const previous = cursor.match(entry.name);
  // The parent has an entry that is gone.
  if (cursor.hasSkipped) directory.unchanged = false;
  const resumed = directory.resumed?.match(entry.name);
  directory.outstanding++;
  return { entry, directory, place: frame.next++, previous, resumed };
}

/** A promise that rejects when the signal aborts, and a way to stop listening. */
function rejectionOf(signal: AbortSignal): { promise: Promise<never>; release(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { promise, release: () => signal.removeEventListener("abort", onAbort) };
}
