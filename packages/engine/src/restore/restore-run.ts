import { type ByteString, RESTORE_BYTES_IN_FLIGHT_MAX } from "@comeback/core";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import type { Repository } from "../repository/repository.ts";
import { DirectoryCache } from "./directory-cache.ts";
import { type Identity, ownIdentity } from "./entry-attributes.ts";
import { RestoreMeter } from "./restore-meter.ts";
import type { OverwriteMode, RestoreOptions } from "./restore-options.ts";
import { TaskSlots } from "./task-slots.ts";
import type { RestoreSession } from "./tasks.ts";

let lastNumber = 0;

/** What all parts of one restore share. */
export class RestoreRun implements AsyncDisposable {
  readonly options: RestoreOptions;
  readonly repository: Repository;
  readonly overwrite: OverwriteMode;
  readonly dryRun: boolean;
  readonly who: Identity;
  readonly meter: RestoreMeter;
  readonly pool: CpuPool;
  readonly slots: TaskSlots;
  readonly session: RestoreSession;
  readonly directories: DirectoryCache;
  /** Aborts with the caller's signal, and after a failure of our own. */
  readonly signal: AbortSignal;
  /** Cleared where anything in the snapshot is suspicious: then nothing is removed. */
  mayDelete: boolean;
  readonly #abort = new AbortController();
  readonly #stopListening: () => void;

  /** `rootFd` is the open target; a dry run may have none. */
  constructor(options: RestoreOptions, rootFd: number | undefined) {
    const { repository, workers, signal } = options;
    this.options = options;
    this.repository = repository;
    this.overwrite = options.overwrite ?? "always";
    this.dryRun = options.dryRun ?? false;
    this.mayDelete = options.delete ?? false;
    this.who = ownIdentity();
    const isWhole = options.select === undefined && (options.subpath ?? "") === "";
    this.meter = new RestoreMeter(options.observer, isWhole ? options.snapshot.summary : undefined);
    this.pool = new CpuPool({
      setup: workerSetup(repository, repository.index.table.shared),
      ...(workers === undefined ? {} : { workers }),
    });
    this.slots = new TaskSlots({
      tasks: this.pool.size + Math.max(this.pool.size, repository.backend.connections),
      bytes: RESTORE_BYTES_IN_FLIGHT_MAX,
    });
    this.directories = new DirectoryCache(rootFd ?? -1);
    this.session = {
      number: ++lastNumber,
      rootFd: rootFd ?? -1,
      identity: this.who,
      abort: new SharedArrayBuffer(4),
    };
    this.signal = this.#abort.signal;
    this.#startWorkers();
    const onAbort = (): void => this.fail(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    this.#stopListening = () => signal?.removeEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
  }

  /** Gives the whole restore up; the first reason is the one that is thrown. */
  fail(reason: unknown): void {
    Atomics.store(new Int32Array(this.session.abort), 0, 1);
    this.#abort.abort(reason);
  }

  /** Whether an entry is wanted, and whether anything below it may be. */
  select(
    path: () => ByteString,
    isDirectory: boolean,
  ): { isSelected: boolean; mayDescend: boolean } {
    const { select } = this.options;
    if (select === undefined) return { isSelected: true, mayDescend: isDirectory };
    const { selected, childMayBeSelected } = select(path(), isDirectory);
    return { isSelected: selected, mayDescend: isDirectory && childMayBeSelected };
  }

  /** Threads take a while to start: they do so while the first files are planned. */
  #startWorkers(): void {
    for (let i = 0; i < this.pool.size; i++) {
      // A thread that does not start shows with the first task that needs it.
      this.pool.run("restore.end", this.session).catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    try {
      await this.pool.runOnEach("restore.end", this.session);
    } catch {
      // A worker failed: that is being thrown already.
    } finally {
      this.directories[Symbol.dispose]();
      await this.pool[Symbol.asyncDispose]();
    }
  }
}
