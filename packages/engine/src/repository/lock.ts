import { hostname, userInfo } from "node:os";
import type { Backend, Clock, ListedFile, OperationOptions } from "@comeback/core";
import {
  ComebackError,
  ExitCode,
  isComebackError,
  LOCK_GIVE_UP_MS,
  LOCK_REFRESH_MS,
  messageOf,
} from "@comeback/core";
import { ownProcessPlace } from "@comeback/platform";
import { formatTime } from "../tree/time-text.ts";
import { beginIgnoringHangups, endIgnoringHangups } from "./hangups.ts";
import { instantOfMilliseconds } from "./instant.ts";
import { type LockFile, readLock } from "./lock-file.ts";
import type { Repository } from "./repository.ts";
import { isStale } from "./stale-lock.ts";

export interface LockOptions {
  readonly exclusive: boolean;
  /**
   * Goes together with others, but not with the same activity. What is read before the lock is
   * confirmed may be out of date: somebody else may just be ending.
   */
  readonly activity?: "prune" | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /**
   * The locks that there were a moment ago, from `listLocks`: the look before ours is written then
   * takes no time. It only spares others the sight of a lock that would be given back; what counts
   * is the look after it.
   */
  readonly firstLook?: Promise<readonly ListedFile[]> | undefined;
  /** Told when the lock could not be kept: everything under it must stop. */
  onLost?(error: ComebackError): void;
  /** Told of a stale lock of another process that was cleared. */
  onStaleRemoved?(lock: LockFile): void;
}

/**
 * Our lock in a repository. Taken as restic takes its own: look, write, wait, look again. The wait is for
 * stores whose lists lag behind; where they do not, whoever writes second sees the first at once, and
 * restic's own wait only makes it look later than we need. What only
 * reads may begin before `confirmed` resolves; nothing may be written before.
 */
export class RepositoryLock implements AsyncDisposable {
  readonly #repository: Repository;
  readonly #options: LockOptions;
  readonly confirmed: Promise<void>;
  #name: string;
  readonly #sinceMs: number;
  #refreshedMs: number;
  readonly #timer: NodeJS.Timeout;
  #refreshing: Promise<void> | undefined;
  #lost: ComebackError | undefined;
  #released = false;
  readonly #closing = new AbortController();

  private constructor(repository: Repository, options: LockOptions, name: string) {
    this.#repository = repository;
    this.#options = options;
    this.#name = name;
    this.#sinceMs = options.clock.now();
    this.#refreshedMs = this.#sinceMs;
    this.confirmed = this.#confirm();
    // A rejection is for whoever awaits it; without one it must not end the process.
    this.confirmed.catch(() => {});
    this.#timer = setInterval(() => void this.#refreshOnce(), LOCK_REFRESH_MS);
    this.#timer.unref();
    repository.workUnder(this);
  }

  static async acquire(repository: Repository, options: LockOptions): Promise<RepositoryLock> {
    await refuseConflicts(repository, options, { firstLook: options.firstLook });
    beginIgnoringHangups();
    try {
      const name = await repository.saveUnpacked("lock", lockJson(options, options.clock.now()));
      return new RepositoryLock(repository, options, name);
    } catch (error) {
      endIgnoringHangups();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.confirmed.catch(() => {});
    await this.#refreshing;
    try {
      await this.#repository.backend.remove({ type: "lock", name: this.#name });
    } finally {
      endIgnoringHangups();
    }
  }

  /**
   * Fails once others may have taken the lock for abandoned: the machine slept, or the storage was
   * gone, for so long that it was not refreshed, and it has been cleared meanwhile. What was planned
   * or read before then may not hold any more.
   */
  async assertHeld(): Promise<void> {
    if (this.#isOverdue) await this.#refreshOnce();
    if (this.#lost !== undefined) throw this.#lost;
  }

  get #isOverdue(): boolean {
    return !this.#released && this.#options.clock.now() - this.#refreshedMs >= LOCK_GIVE_UP_MS;
  }

  #refreshOnce(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  #lose(why: string, cause: unknown): void {
    this.#lost = new ComebackError(
      "repository.locked",
      "the lock of the repository could not be refreshed",
      {
        why,
        next: "run the command again: what it stored so far is found again",
        exitCode: ExitCode.failed,
        retryable: true,
        cause,
      },
    );
    this.#options.onLost?.(this.#lost);
  }

  async #confirm(): Promise<void> {
    const { clock, signal } = this.#options;
    const { listLagMs } = this.#repository.backend;
    if (listLagMs > 0) await clock.sleep(listLagMs, signal);
    await refuseConflicts(this.#repository, this.#options, { ownName: this.#name });
    // Whom we exclude is not at work any more; what they wrote at the very end has to be listed.
    const { exclusive, activity } = this.#options;
    if (listLagMs > 0 && (exclusive || activity !== undefined))
      await clock.sleep(listLagMs, signal);
  }

  /** A refreshed lock is a new file; the old one goes after, so that there is always one. */
  async #refresh(): Promise<void> {
    if (this.#released) return;
    const { clock } = this.#options;
    try {
      const old = this.#name;
      if (this.#isOverdue) await this.#repository.backend.stat({ type: "lock", name: old });
      const json = lockJson(this.#options, this.#sinceMs);
      this.#name = await this.#repository.saveUnpacked("lock", json);
      this.#refreshedMs = clock.now();
      const { backend } = this.#repository;
      // Others see one of the two at any time.
      if (backend.listLagMs > 0) await this.#sleepWhileHeld(backend.listLagMs);
      await backend.remove({ type: "lock", name: old });
    } catch (cause) {
      if (!this.#isOverdue) return;
      const isCleared = isComebackError(cause, "backend.not-found");
      this.#lose(isCleared ? "somebody has cleared it as abandoned" : messageOf(cause), cause);
    }
  }

  async #sleepWhileHeld(delayMs: number): Promise<void> {
    const { signal } = this.#closing;
    await this.#options.clock.sleep(delayMs, signal).catch(() => {});
  }
}

function lockJson(options: LockOptions, sinceMs: number): Buffer {
  const user = userInfo();
  const place = ownProcessPlace();
  const lock: LockFile = {
    time: formatTime(instantOfMilliseconds(options.clock.now())),
    exclusive: options.exclusive,
    hostname: hostname(),
    username: user.username,
    pid: process.pid,
    uid: user.uid,
    gid: user.gid,
    comeback: {
      ...(place === undefined ? {} : { boot_id: place.bootId, pid_namespace: place.pidNamespace }),
      since: formatTime(instantOfMilliseconds(sinceMs)),
      ...(options.activity === undefined ? {} : { activity: options.activity }),
    },
  };
  return Buffer.from(JSON.stringify(lock));
}

/** The lock files there are, for `firstLook`. */
export async function listLocks(
  backend: Backend,
  options: OperationOptions,
): Promise<readonly ListedFile[]> {
  return await Array.fromAsync(backend.list("lock", options));
}

/**
 * Fails where another process holds a lock that excludes ours. A stale lock (see stale-lock.ts) is
 * removed, and reported.
 */
async function refuseConflicts(
  repository: Repository,
  options: LockOptions,
  known: {
    readonly ownName?: string;
    readonly firstLook?: Promise<readonly ListedFile[]> | undefined;
  },
): Promise<void> {
  const { ownName } = known;
  const judged = new Set<string>();
  let files = await known.firstLook?.catch(() => undefined);
  for (let isComplete = false; !isComplete; files = undefined) {
    isComplete = true;
    for await (const { name, sizeBytes } of files ?? repository.backend.list("lock", options)) {
      // restic: an empty lock file is the rest of a crashed write and means nothing.
      if (name === ownName || sizeBytes === 0 || judged.has(name)) continue;
      const lock = await readLock(repository, name, options);
      judged.add(name);
      if (lock === undefined) {
        // Released, or refreshed: then its holder has a new one, which this list may not show.
        isComplete = false;
        continue;
      }
      if (isStale(lock, { nowMs: options.clock.now() })) {
        await repository.backend.remove({ type: "lock", name });
        options.onStaleRemoved?.(lock);
        continue;
      }
      if (!excludes(lock, options)) continue;
      if (ownName !== undefined) {
        await repository.backend.remove({ type: "lock", name: ownName });
      }
      throw lockedError(lock);
    }
  }
}

function excludes(lock: LockFile, { exclusive, activity }: LockOptions): boolean {
  const isSame = activity !== undefined && lock.comeback?.activity === activity;
  return lock.exclusive || exclusive || isSame;
}

function lockedError(lock: LockFile): ComebackError {
  const kind = lock.exclusive ? "exclusively locked" : "locked";
  return new ComebackError(
    "repository.locked",
    `the repository is ${kind} by process ${lock.pid} on ${lock.hostname}`,
    {
      why: `${lock.username} has held it since ${lock.time}`,
      next: "wait until that command has ended; if it no longer runs, remove the lock with `comeback unlock`",
      exitCode: ExitCode.locked,
      retryable: true,
    },
  );
}
