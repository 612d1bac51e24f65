import { mkdirSync } from "node:fs";
import { type FileHandle, link, open, readFile, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  assert,
  type Clock,
  ComebackError,
  UNDO_JOURNAL_MAX_BYTES,
  UNDO_LOCK_POLL_MS,
  UNDO_LOCK_WAIT_MS,
} from "@comeback/core";
import { lockPastHolder, tryLockFile, unlockFile } from "@comeback/platform";
import {
  decodeJournal,
  encodeRecord,
  type JournalHeader,
  type JournalRecord,
} from "./journal-lines.ts";
import { type JournalState, stateOf } from "./journal-state.ts";

const SUFFIX = ".jsonl";
const ALIVE_SUFFIX = ".alive";
const DAMAGED_SUFFIX = ".damaged";

export function journalFolder(stateFolder: string): string {
  return join(stateFolder, "undo");
}

export function isJournalName(name: string): boolean {
  return name.endsWith(SUFFIX);
}

/** The journal while nobody else writes or undoes. */
export interface LockedJournal {
  readonly path: string;
  readonly runId: string;
  read(): Promise<JournalState>;
  /** Resolves once it is stored; without `isDurable` it may get lost with the machine's power. */
  append(record: JournalRecord, options?: { readonly isDurable?: boolean }): Promise<void>;
  /** Nothing is left to undo. */
  remove(): Promise<void>;
  /** Nothing is left that could be undone: it stays as the file that this resolves to. */
  setAside(): Promise<string>;
}

/**
 * What one run has done and how it is taken back: `<state>/undo/<run>.jsonl`, lines that are only
 * ever added, each with its checksum. Beside it lies `<run>.alive`, which the run holds locked for as
 * long as it lives: the kernel lets go of it however the run ends, and nobody has to guess from
 * process numbers, which containers and reboots give out again.
 */
export class UndoJournal implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #clock: Clock;
  #alive: FileHandle | undefined;
  /** The file's lock is one for the whole process: within it, one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #isGone = false;

  private constructor(path: string, file: FileHandle, clock: Clock, alive?: FileHandle) {
    this.path = path;
    this.#file = file;
    this.#clock = clock;
    this.#alive = alive;
  }

  /** A new one, whose run is this process. */
  static async create(
    stateFolder: string,
    header: JournalHeader,
    clock: Clock,
  ): Promise<UndoJournal> {
    assert(/^[\w.-]+$/.test(header.runId), `${header.runId} can be a file's name`);
    const folder = journalFolder(stateFolder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, header.runId + SUFFIX);
    const alive = await open(alivePathOf(path), "a", 0o600);
    try {
      if (!tryLockFile(alive.fd)) throw busy(path);
      // It appears under its name only once it is whole.
      const temporary = `${path}.${process.pid}.new`;
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(encodeRecord(header));
        await file.sync();
        await link(temporary, path);
      } finally {
        await file.close();
        await unlink(temporary);
      }
      await syncFolder(folder);
      await syncFolder(stateFolder);
      return new UndoJournal(path, await open(path, "r+"), clock, alive);
    } catch (error) {
      await alive.close();
      throw error;
    }
  }

  /** One that is there; `undefined` where it is not any more. */
  static async open(path: string, clock: Clock): Promise<UndoJournal | undefined> {
    try {
      return new UndoJournal(path, await open(path, "r+"), clock);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** What it says now; `undefined` where nothing was left to undo. */
  async peek(): Promise<JournalState | undefined> {
    if (await this.#isRemoved()) return undefined;
    return this.#read();
  }

  /**
   * Does `work` while no other process writes to it or undoes what it says; waits for one that does.
   * Resolves to `undefined` where the journal has been removed, since nothing was left to undo.
   */
  locked<T>(
    work: (journal: LockedJournal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const result = this.#queue.then(() => this.#locked(work, signal));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    await this.#file.close();
    await this.#alive?.close();
    this.#alive = undefined;
  }

  async #locked<T>(
    work: (journal: LockedJournal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    const { fd } = this.#file;
    const endMs = this.#clock.now() + UNDO_LOCK_WAIT_MS;
    while (!tryLockFile(fd)) {
      if (this.#clock.now() > endMs) throw busy(this.path);
      await this.#clock.sleep(UNDO_LOCK_POLL_MS, signal);
    }
    try {
      if (await this.#isRemoved()) return undefined;
      return await work({
        path: this.path,
        runId: runIdOf(this.path),
        read: () => this.#read(),
        append: (record, options) => this.#append(record, options?.isDurable ?? false),
        remove: () => this.#remove(),
        setAside: () => this.#setAside(),
      });
    } finally {
      unlockFile(fd);
    }
  }

  async #isRemoved(): Promise<boolean> {
    this.#isGone ||= (await this.#file.stat()).nlink === 0;
    return this.#isGone;
  }

  async #read(): Promise<JournalState> {
    return stateOf(decodeJournal(await this.#bytes()));
  }

  async #bytes(): Promise<Buffer> {
    const { size } = await this.#file.stat();
    if (size > UNDO_JOURNAL_MAX_BYTES) {
      throw new ComebackError("undo.incomplete", `${this.path} is no journal of ours`, {
        why: `it has ${size} bytes`,
        next: "look into it, undo by hand what it names, and remove it",
      });
    }
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await this.#file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  }

  async #append(record: JournalRecord, isDurable: boolean): Promise<void> {
    // What a dying machine left of a line would spoil the next one.
    const { wholeBytes } = decodeJournal(await this.#bytes());
    const line = Buffer.from(encodeRecord(record));
    try {
      await this.#file.truncate(wholeBytes);
      await this.#file.write(line, 0, line.length, wholeBytes);
      if (isDurable) await this.#file.datasync();
    } catch (cause) {
      await this.#file.truncate(wholeBytes).catch(() => undefined);
      throw new ComebackError("platform.system-call", `${this.path} could not be written`, {
        next: "make room in its file system: nothing is done that could not be undone",
        cause,
      });
    }
  }

  async #remove(): Promise<void> {
    this.#isGone = true;
    await unlink(alivePathOf(this.path)).catch(() => undefined);
    await unlink(this.path);
    await syncFolder(dirname(this.path));
  }

  async #setAside(): Promise<string> {
    const aside = this.path.slice(0, -SUFFIX.length) + DAMAGED_SUFFIX;
    // Not renamed: that the file has gone tells those who wait for it that nothing is left to do.
    const copy = await open(aside, "w", 0o600);
    try {
      await copy.writeFile(await this.#bytes());
      await copy.sync();
    } finally {
      await copy.close();
    }
    await this.#remove();
    return aside;
  }
}

/** Whether the run of a journal still lives. */
export async function isRunAlive(journalPath: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(alivePathOf(journalPath), "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    const holder = async () => (await readJournal(journalPath))?.header?.processId;
    return !(await lockPastHolder(file.fd, { shared: true, holder }));
  } finally {
    await file.close();
  }
}

/** What a journal says, without a lock; `undefined` where there is none. */
export async function readJournal(path: string): Promise<JournalState | undefined> {
  try {
    return stateOf(decodeJournal(await readFile(path)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** From its name: the first line, which says it too, may be damaged. */
export function runIdOf(journalPath: string): string {
  return basename(journalPath, SUFFIX);
}

function alivePathOf(journalPath: string): string {
  return journalPath.slice(0, -SUFFIX.length) + ALIVE_SUFFIX;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function busy(path: string): ComebackError {
  return new ComebackError("undo.busy", `another process holds ${path}`, {
    why: "it is undoing what that run did, or it is that run",
    next: "wait until it has ended, then try again",
    retryable: true,
  });
}
