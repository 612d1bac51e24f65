import { hash } from "node:crypto";
import {
  type CheckStage,
  checkObjectLock,
  ContractBreach,
  type Latencies,
  measureLatencies,
  measureSpeed,
  type ProbeResult,
  runChecks,
  type Speed,
} from "@comeback/backend-layers/probe";
import {
  type Backend,
  type FileType,
  messageOf,
  PROBE_LOCK_MS,
  type Random,
  type RepositoryFile,
} from "@comeback/core";
import type { CommandContext } from "../context.ts";
import { prepareCommandStorage, type PreparedStorage } from "../opening/open-backend.ts";
import { redactLocation } from "../opening/redact-location.ts";

/** What a storage was seen to do. */
export interface BackendTestResult {
  /** The folder that it was done in; its secrets are left out. */
  readonly location: string;
  readonly checks: readonly ProbeResult[];
  /** `not-tried`: it locks files, but was not asked to. */
  readonly objectLock: "broken" | "no" | "not-tried" | "works";
  readonly objectLockDetail: string | undefined;
  readonly hasArchive: boolean;
  /**
   * Whether it refuses a name that is being taken at the same time (a conditional put); `undefined`
   * for kinds of storage that always do.
   */
  readonly conditionalPut: boolean | undefined;
  readonly latencies: Latencies | undefined;
  readonly speeds: readonly Speed[];
  /** Why times could not be measured. */
  readonly measuringFailure: string | undefined;
  /** Files that are still there, by type and name, and why the folder could not be removed. */
  readonly leftBehind: readonly string[];
}

interface TestWish {
  readonly withSpeed: boolean;
  readonly withObjectLock: boolean;
  onStart(location: string): void;
}

const NAME_BYTES = 6;

/** Works in a folder of its own below the location, which did not exist before. */
export async function testBackend(
  context: CommandContext,
  base: string,
  wish: TestWish,
): Promise<BackendTestResult> {
  const location = below(base, `comeback-backend-test-${randomHex(context.random, NAME_BYTES)}`);
  const prepared = await prepareCommandStorage(context, location);
  wish.onStart(redactLocation(location));
  const leftBehind: string[] = [];
  const onStage = async <T>(work: (stage: TestStage) => Promise<T>): Promise<T> => {
    await using clients = new AsyncDisposableStack();
    const backend = clients.use(await prepared.reach("create"));
    const other = clients.use(await prepared.reach("create"));
    const stage = new TestStage(context, [backend, other]);
    try {
      return await work(stage);
    } finally {
      leftBehind.push(...(await stage.tidy()));
    }
  };
  try {
    const found = await onStage((stage) => examine(context, stage, wish));
    const { signal } = context;
    const more = await onStage((stage) => runChecks(stage, { part: "config", signal }));
    const checks = [...found.checks, ...more];
    return { ...found, checks, leftBehind, location: redactLocation(location) };
  } finally {
    if (leftBehind.length === 0) await removeFolder(prepared, location, leftBehind);
  }
}

async function examine(
  { signal }: CommandContext,
  stage: TestStage,
  { withSpeed, withObjectLock }: TestWish,
): Promise<Omit<BackendTestResult, "leftBehind" | "location">> {
  const { backend } = stage;
  const checks = await runChecks(stage, { part: "files", signal });
  let latencies: Latencies | undefined;
  const speeds: Speed[] = [];
  let measuringFailure: string | undefined;
  try {
    latencies = await measureLatencies(stage);
    const counts = new Set([1, backend.connections]);
    for (const connections of withSpeed ? counts : []) {
      signal.throwIfAborted();
      speeds.push(await measureSpeed(stage, connections));
    }
  } catch (error) {
    signal.throwIfAborted();
    measuringFailure = messageOf(error);
  }
  const lock = await tryObjectLock(stage, withObjectLock);
  const hasArchive = backend.archive !== undefined;
  const conditionalPut = backend.isCreateAtomic;
  return { checks, latencies, speeds, measuringFailure, hasArchive, conditionalPut, ...lock };
}

async function tryObjectLock(
  stage: TestStage,
  isWanted: boolean,
): Promise<Pick<BackendTestResult, "objectLock" | "objectLockDetail">> {
  if (stage.backend.retention === undefined) {
    return { objectLock: "no", objectLockDetail: undefined };
  }
  if (!isWanted) return { objectLock: "not-tried", objectLockDetail: undefined };
  try {
    await checkObjectLock(stage, PROBE_LOCK_MS);
    return { objectLock: "works", objectLockDetail: undefined };
  } catch (error) {
    if (!(error instanceof ContractBreach)) throw error;
    return { objectLock: "broken", objectLockDetail: error.message };
  }
}

/** Two clients of the folder, and the names of all that they ever made there. */
class TestStage implements CheckStage {
  readonly backend: Backend;
  readonly other: Backend;
  readonly clock: CheckStage["clock"];
  readonly #random: Random;
  readonly #files: RepositoryFile[] = [{ type: "config", name: "" }];

  constructor({ clock, random }: CommandContext, clients: readonly [Backend, Backend]) {
    [this.backend, this.other] = clients;
    this.clock = clock;
    this.#random = random;
  }

  /** Named after its content: some servers take nothing else. */
  readonly newFile = (type: FileType, data: Uint8Array): RepositoryFile => {
    if (type === "config") return { type, name: "" };
    const file: RepositoryFile = { type, name: hash("sha256", data, "hex") };
    this.#files.push(file);
    return file;
  };

  readonly newData = (sizeBytes: number): Uint8Array<ArrayBuffer> =>
    this.#random.fill(new Uint8Array(sizeBytes));

  /** Removes every file, also after an abort; resolves to what is still there. */
  async tidy(): Promise<string[]> {
    const left: string[] = [];
    for (const file of this.#files) {
      try {
        await this.backend.remove(file);
      } catch {
        left.push(`${file.type} ${file.name}`.trim());
      }
    }
    return left;
  }
}

async function removeFolder(
  { factory, options }: PreparedStorage,
  location: string,
  leftBehind: string[],
): Promise<void> {
  try {
    // The command may have been aborted: the folder goes all the same.
    await factory.removeEmpty?.(location, { ...options, signal: undefined });
  } catch (error) {
    leftBehind.push(`the empty folder: ${messageOf(error)}`);
  }
}

/** A colon ends what names a server or a container: `sftp:host:`, `rclone:remote:`. */
function below(base: string, name: string): string {
  return /[/:]$/.test(base) ? `${base}${name}` : `${base}/${name}`;
}

function randomHex(random: Random, bytes: number): string {
  return Buffer.from(random.fill(new Uint8Array(bytes))).toString("hex");
}
