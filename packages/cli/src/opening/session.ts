import {
  type Backend,
  ComebackError,
  ExitCode,
  isComebackError,
  type ListedFile,
} from "@comeback/core";
import { listLocks, Repository, RepositoryLock } from "@comeback/engine";
import { releaseLargeBuffersEarly } from "@comeback/platform";
import type { CommandContext } from "../context.ts";
import { explainNoRepository } from "../migrate/lost-config.ts";
import { repositoryLocation } from "./find-backend.ts";
import { assertHotFits, openStorage } from "./open-storage.ts";
import { readPassword } from "./read-password.ts";
import { openCache } from "./open-cache.ts";

const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 60_000;

export interface OpenOptions {
  readonly lock: "shared" | "exclusive" | "none";
  /** What runs only once at a time, although others may work meanwhile. */
  readonly activity?: "prune";
  readonly stdinIsTaken?: boolean;
  /** What the terminal asks for the password, where it is not the repository of `--repo`. */
  readonly prompt?: string;
  /** The password, where it is known already or shared with another repository. */
  readonly password?: () => Promise<string>;
  /** Default: true, unless the user says otherwise. */
  readonly useCache?: boolean;
}

/**
 * An open repository with our lock in it. `signal` aborts at Ctrl-C, when the lock is lost, and
 * when another process turns out to have locked the repository at the same moment.
 */
export class Session implements AsyncDisposable {
  readonly repository: Repository;
  /** The hot part of the storage, where there is one. */
  readonly hot: Backend | undefined;
  readonly signal: AbortSignal;
  /** Resolves once writing is allowed. */
  readonly mayWrite: Promise<void>;
  readonly #lock: RepositoryLock | undefined;
  readonly #lockWait: AbortController;

  constructor(parts: {
    readonly repository: Repository;
    readonly hot: Backend | undefined;
    readonly signal: AbortSignal;
    readonly lock: RepositoryLock | undefined;
    readonly lockWait: AbortController;
  }) {
    this.repository = parts.repository;
    this.hot = parts.hot;
    this.signal = parts.signal;
    this.#lock = parts.lock;
    this.#lockWait = parts.lockWait;
    this.mayWrite = parts.lock?.confirmed ?? Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A command that only read may be done before its lock is confirmed: nothing to wait for.
    this.#lockWait.abort(new ComebackError("interrupted", "the command is done"));
    try {
      await this.#lock?.[Symbol.asyncDispose]();
    } finally {
      await this.repository[Symbol.asyncDispose]();
    }
  }
}

/** Opens the repository that the global options name, and locks it. */
export async function openSession(context: CommandContext, options: OpenOptions): Promise<Session> {
  const { repository, hot, firstLook } = await openRepository(context, options);
  const stop = new AbortController();
  const lockWait = new AbortController();
  try {
    const signal = AbortSignal.any([context.signal, stop.signal]);
    const lockSignal = AbortSignal.any([context.signal, lockWait.signal]);
    const wanted = lockWanted(context, options);
    const lock =
      wanted === "none"
        ? undefined
        : await takeLock(context, repository, {
            exclusive: wanted === "exclusive",
            activity: options.activity,
            signal: lockSignal,
            firstLook,
            onLost: (error) => stop.abort(error),
          });
    lock?.confirmed.catch((error: unknown) => {
      if (!lockSignal.aborted) stop.abort(error);
    });
    return new Session({ repository, hot, signal, lock, lockWait });
  } catch (error) {
    await repository[Symbol.asyncDispose]();
    throw error;
  }
}

interface OpenedRepository {
  readonly repository: Repository;
  readonly hot: Backend | undefined;
  /** The locks that were there meanwhile, where one is wanted. */
  readonly firstLook: Promise<readonly ListedFile[]> | undefined;
}

function lockWanted({ globals }: CommandContext, { lock }: OpenOptions): OpenOptions["lock"] {
  return globals.useLock ? lock : "none";
}

async function openRepository(
  context: CommandContext,
  options: OpenOptions,
): Promise<OpenedRepository> {
  const { globals, signal, clock, random } = context;
  releaseLargeBuffersEarly();
  const location = await repositoryLocation(globals);
  // First the place, then the password: nobody should type one for a repository that is not there.
  const { backend, hot } = await openStorage(context, location).catch(async (error: unknown) => {
    throw await explainNoRepository(error, location, context);
  });
  let repository: Repository | undefined;
  try {
    const password = await (options.password?.() ?? askFor(context, options));
    // Beside the key, which is derived for a while. It fails where it is looked at.
    const isLocking = lockWanted(context, options) !== "none";
    const firstLook = isLocking ? listLocks(backend, { signal }) : undefined;
    firstLook?.catch(() => {});
    repository = await Repository.open({
      backend,
      password,
      clock,
      random,
      signal,
      compression: globals.compression,
      verifyBlobs: globals.verifyBlobs,
      temporaryFolder: temporaryFolder(context.env),
      ...(globals.packSizeBytes === undefined ? {} : { packSizeBytes: globals.packSizeBytes }),
      ...(globals.useCache && options.useCache !== false ? { cache: openCache(context) } : {}),
    });
    // Before the lock: in a hot part that is another repository's, not even that may lie.
    if (hot !== undefined) await assertHotFits(context, repository, hot);
    return { repository, hot, firstLook };
  } catch (error) {
    await (repository ?? backend)[Symbol.asyncDispose]();
    throw error;
  }
}

/** Not `/tmp`, which is memory on many systems. */
function temporaryFolder(env: NodeJS.ProcessEnv): string {
  return env["TMPDIR"] || "/var/tmp";
}

function askFor(context: CommandContext, options: OpenOptions): Promise<string> {
  return readPassword(context, {
    isNew: false,
    stdinIsTaken: options.stdinIsTaken === true,
    ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
  });
}

interface LockWish {
  readonly exclusive: boolean;
  readonly activity?: "prune" | undefined;
  readonly signal: AbortSignal;
  readonly firstLook: Promise<readonly ListedFile[]> | undefined;
  onLost(error: ComebackError): void;
}

/** Takes the lock, waiting for others as long as --retry-lock allows (as restic: 5 s, then longer). */
async function takeLock(
  context: CommandContext,
  repository: Repository,
  wish: LockWish,
): Promise<RepositoryLock> {
  const { clock, terminal, globals } = context;
  const deadline = clock.now() + globals.retryLockMs;
  let { firstLook } = wish;
  for (let pauseMs = RETRY_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)) {
    try {
      return await RepositoryLock.acquire(repository, {
        ...wish,
        firstLook,
        clock,
        onStaleRemoved: ({ hostname, pid }) => {
          const what = `removed the stale lock of process ${pid} on ${hostname}`;
          if (!globals.json && !globals.quiet) terminal.printError(what);
        },
      });
    } catch (error) {
      firstLook = undefined;
      const restMs = deadline - clock.now();
      if (!isComebackError(error, "repository.locked") || restMs <= 0)
        throw explainLock(error, globals);
      if (!globals.json && !globals.quiet) terminal.printError(`${error.message}; waiting for it`);
      await clock.sleep(Math.min(pauseMs, restMs), context.signal);
    }
  }
}

/** On storage that cannot be written, reading is still possible. */
function explainLock(error: unknown, { storage }: CommandContext["globals"]): unknown {
  const readOnly =
    isComebackError(error, "backend.read-only") || isComebackError(error, "backend.permission");
  // Somebody asked for it: there is nothing to explain.
  if (!readOnly || storage.isReadOnly) return error;
  return new ComebackError(error.code, "the repository cannot be locked", {
    why: error.message,
    next: "to only read from storage that you may not write to, use --no-lock",
    exitCode: ExitCode.failed,
    cause: error,
  });
}
