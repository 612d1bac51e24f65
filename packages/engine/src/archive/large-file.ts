import {
  type ByteString,
  RANGE_TASK_BYTES,
  RANGE_TASKS_PER_FILE_MAX,
  SCAN_TASK_BYTES,
} from "@comeback/core";
import { close, type FileStatus, S_IFMT, S_IFREG, statFd } from "@comeback/platform";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { idList } from "./id-list.ts";
import { openForReading } from "./open-for-reading.ts";
import type { PackStore } from "./pack-store.ts";
import { expectedOf, isAsExpected, reasonOf } from "./store-files.ts";
import type { StoredBlobs } from "./tasks.ts";

export interface LargeFileContext {
  readonly pool: CpuPool;
  readonly packStore: PackStore;
  readonly signal: AbortSignal;
  /** Takes over the packs and counts of a task. */
  keep(stored: StoredBlobs): void;
}

export interface LargeFileOutcome {
  /** Chunk ids; `undefined` where the file could not be read to its end. */
  readonly content: readonly string[] | undefined;
  readonly bytesRead: number;
  readonly added: number;
  readonly packed: number;
  /** What the file was when it was opened. */
  readonly status?: FileStatus;
  readonly problem?: string;
}

/**
 * Stores one large file with all workers: one scans for cut points (which is fast, for it reads
 * only the parts of a chunk where a cut may fall), and the ranges between them are stored wherever
 * a worker is free. The cut points are exactly those of a sequential reading.
 */
export async function storeLargeFile(
  context: LargeFileContext,
  path: ByteString,
): Promise<LargeFileOutcome> {
  let fd: number;
  try {
    fd = openForReading(path);
  } catch (error) {
    return nothingOf(reasonOf(error));
  }
  try {
    const before = statFd(fd);
    // A fifo in its place has no bytes to read, and would pass for an empty file.
    if ((before.mode & S_IFMT) !== S_IFREG) return nothingOf("it is no longer a regular file");
    const run = new LargeFileRun(context, fd, before.sizeBytes);
    const outcome = { ...(await run.finish()), status: before };
    if (outcome.problem !== undefined || isAsExpected(statFd(fd), expectedOf(before))) {
      return outcome;
    }
    return { ...outcome, problem: "it changed while it was read" };
  } finally {
    close(fd);
  }
}

function nothingOf(problem: string): LargeFileOutcome {
  return { content: undefined, bytesRead: 0, added: 0, packed: 0, problem };
}

class LargeFileRun {
  readonly #context: LargeFileContext;
  readonly #fd: number;
  readonly #sizeBytes: number;
  readonly #ids: string[][] = [];
  readonly #ranges = new Set<Promise<void>>();
  #failure: unknown;
  #problem: string | undefined;
  #bytesRead = 0;
  #added = 0;
  #packed = 0;

  constructor(context: LargeFileContext, fd: number, sizeBytes: number) {
    this.#context = context;
    this.#fd = fd;
    this.#sizeBytes = sizeBytes;
  }

  async finish(): Promise<LargeFileOutcome> {
    try {
      await this.#scan();
    } finally {
      // The descriptor is theirs too: it stays open until the last one is done.
      await Promise.all(this.#ranges);
    }
    if (this.#failure !== undefined) throw this.#failure;
    const totals = { bytesRead: this.#bytesRead, added: this.#added, packed: this.#packed };
    if (this.#problem !== undefined) {
      return { content: undefined, ...totals, problem: this.#problem };
    }
    return { content: this.#ids.flat(), ...totals };
  }

  async #scan(): Promise<void> {
    const { pool, packStore, signal } = this.#context;
    let place = 0;
    for (let from = 0; from < this.#sizeBytes;) {
      signal.throwIfAborted();
      const { cuts, problem } = await pool.run("archive.scan", {
        fd: this.#fd,
        from,
        sizeBytes: this.#sizeBytes,
        budgetBytes: SCAN_TASK_BYTES,
      });
      this.#problem ??= problem;
      for (const group of groupCuts(from, cuts)) {
        while (this.#ranges.size >= RANGE_TASKS_PER_FILE_MAX) await Promise.race(this.#ranges);
        await packStore.room();
        this.#start(place++, group.from, group.cuts);
      }
      // No cut at all: the file became shorter than it was.
      if (cuts.length === 0 || this.#failure !== undefined || this.#problem !== undefined) return;
      from = cuts.at(-1) as number;
    }
  }

  #start(place: number, from: number, cuts: readonly number[]): void {
    const range: Promise<void> = this.#store(place, from, cuts)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#ranges.delete(range));
    this.#ranges.add(range);
  }

  async #store(place: number, from: number, cuts: readonly number[]): Promise<void> {
    const { pool, keep } = this.#context;
    const output = await pool.run("archive.ranges", { fd: this.#fd, from, cuts });
    keep(output);
    this.#ids[place] = idList(output.ids);
    this.#problem ??= output.problem;
    this.#bytesRead += output.bytesRead;
    this.#added += output.bytesAdded;
    this.#packed += output.bytesAddedPacked;
  }
}

/** Consecutive chunks in groups of about RANGE_TASK_BYTES. */
function groupCuts(from: number, cuts: readonly number[]): { from: number; cuts: number[] }[] {
  const groups: { from: number; cuts: number[] }[] = [];
  let group = { from, cuts: [] as number[] };
  for (const cut of cuts) {
    group.cuts.push(cut);
    if (cut - group.from >= RANGE_TASK_BYTES) {
      groups.push(group);
      group = { from: cut, cuts: [] };
    }
  }
  if (group.cuts.length > 0) groups.push(group);
  return groups;
}
