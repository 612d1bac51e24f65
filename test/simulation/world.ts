import { type Clock, ComebackError, ExitCode } from "@comeback/core";
import { Repository, RepositoryLock, type ScryptCost, type Snapshot } from "@comeback/engine";
import {
  MemoryBackend,
  SeededRandom,
  type SimulatedClient,
  type SimulatedProcess,
  SimulatedStore,
} from "@comeback/testkit";
import type { FileModel } from "./file-model.ts";

const PASSWORD = "simulated";
const CHEAP_SCRYPT: ScryptCost = { N: 2, r: 1, p: 1 };
/** A pack holds two or three files. */
const PACK_SIZE_BYTES = 2_000;
/** Tags say which model a snapshot is of: its id is not known where a crash came first. */
const TAG = "model:";

/** The path of what `recover` finds. */
const RECOVERED_PATH = "/recover";
const WITHOUT = "without ";

/** The host of a rewritten snapshot says which names were left out of it. */
export function hostWithout(snapshot: Snapshot, name: string): string {
  return WITHOUT + [...namesLeftOut(snapshot), name].join("");
}

function namesLeftOut({ hostname = "" }: Snapshot): Set<string> {
  return new Set(hostname.startsWith(WITHOUT) ? hostname.slice(WITHOUT.length) : "");
}

function mergeKey(snapshots: readonly { readonly id: string }[]): string {
  return snapshots
    .map(({ id }) => id)
    .toSorted()
    .join();
}

function mergedFrom({ comeback }: Snapshot): string {
  return mergeKey((comeback as { readonly merged?: Snapshot[] } | undefined)?.merged ?? []);
}

/** An empty repository; making one takes longer than to copy it. */
let made: MemoryBackend | undefined;

async function emptyRepository(clock: Clock): Promise<MemoryBackend> {
  if (made !== undefined) return made;
  const backend = new MemoryBackend();
  await Repository.init({
    backend,
    password: PASSWORD,
    clock,
    random: new SeededRandom(1),
    scryptCost: CHEAP_SCRYPT,
  });
  return (made = backend);
}

/** A store with a repository in it, and what the clients of a run know to be in it. */
export class World {
  readonly store: SimulatedStore;
  /** By number, which the tags of a snapshot name. */
  readonly models: FileModel[];
  /** Snapshots that a backup said it had saved. */
  readonly saved: Set<string> = new Set();
  /** Snapshots that somebody set out to remove. */
  readonly removed: Set<string> = new Set();
  /** Where snapshots are copied to. */
  readonly copies: World | undefined;
  readonly #seed: number;
  /** By the snapshots that they were made from; shared with the place where they are copied to. */
  readonly #merged: Map<string, FileModel>;
  #opened = 0;

  private constructor(store: SimulatedStore, seed: number, copies: World | undefined) {
    this.store = store;
    this.#seed = seed;
    this.copies = copies;
    this.models = copies?.models ?? [];
    this.#merged = copies === undefined ? new Map() : copies.#merged;
  }

  static async create(options: {
    readonly clock: Clock;
    readonly seed: number;
    readonly listLagMs: number;
    readonly hasCopies: boolean;
  }): Promise<World> {
    const { seed, listLagMs } = options;
    const empty = await emptyRepository(options.clock);
    const copies = options.hasCopies
      ? new World(new SimulatedStore("copies", empty.clone(listLagMs)), seed + 1, undefined)
      : undefined;
    return new World(new SimulatedStore("store", empty.clone(listLagMs)), seed, copies);
  }

  /** Takes note of what is about to be backed up; returns the tag for its snapshot. */
  announce(model: FileModel): string {
    return `${TAG}${this.models.push(model) - 1}`;
  }

  /** What a snapshot must hold; nothing where it was put together of whatever was left over. */
  modelOf(snapshot: Snapshot): FileModel | undefined {
    if (snapshot.paths.includes(RECOVERED_PATH)) return undefined;
    const model = this.#merged.get(mergedFrom(snapshot)) ?? this.#backedUp(snapshot);
    const without = namesLeftOut(snapshot);
    return new Map([...model].filter(([path]) => !without.has(path.slice(-1))));
  }

  /** Takes note of what a merge is about to make of these. */
  announceMerge(snapshots: readonly Snapshot[], model: FileModel): void {
    this.#merged.set(mergeKey(snapshots), model);
  }

  /** Whether files were written only in part: then others may find what cannot be read. */
  get hasTorn(): boolean {
    return this.store.torn + (this.copies?.store.torn ?? 0) > 0;
  }

  #backedUp(snapshot: Snapshot): FileModel {
    const tag = snapshot.tags?.find((text) => text.startsWith(TAG)) ?? "";
    const model = this.models[Number(tag.slice(TAG.length))];
    if (model === undefined) throw new Error(`snapshot ${snapshot.id} has no model`);
    return model;
  }

  /** The repository as one process sees it. The world stands still meanwhile. */
  open(process: SimulatedProcess): Promise<Repository> {
    const { simulation } = process.client;
    return simulation.outside(async () => {
      const { isDirect } = process;
      process.isDirect = true;
      try {
        return await Repository.open({
          backend: process.backend(this.store),
          password: PASSWORD,
          clock: simulation.clock,
          random: new SeededRandom(this.#seed * 1_000 + ++this.#opened),
          packSizeBytes: PACK_SIZE_BYTES,
        });
      } finally {
        process.isDirect = isDirect;
      }
    });
  }
}

/** As the command line has it: a repository that is open, and our lock in it. */
export interface Session extends AsyncDisposable {
  readonly repository: Repository;
  readonly signal: AbortSignal;
  readonly mayWrite: Promise<void>;
}

export async function openSession(
  world: World,
  client: SimulatedClient,
  options: { readonly exclusive: boolean; readonly activity?: "prune" },
): Promise<Session> {
  await using opened = new AsyncDisposableStack();
  const repository = opened.use(await world.open(client.process));
  const stop = new AbortController();
  const lockWait = new AbortController();
  const { clock } = client.simulation;
  const lock = opened.use(
    await RepositoryLock.acquire(repository, {
      ...options,
      clock,
      signal: lockWait.signal,
      onLost: (error) => stop.abort(error),
    }),
  );
  lock.confirmed.catch((error: unknown) => {
    if (!lockWait.signal.aborted) stop.abort(error);
  });
  if (options.activity !== undefined) await lock.confirmed;
  const session = opened.move();
  return {
    repository,
    signal: stop.signal,
    mayWrite: lock.confirmed,
    async [Symbol.asyncDispose]() {
      const done = { exitCode: ExitCode.done };
      lockWait.abort(new ComebackError("interrupted", "the command is done", done));
      await session.disposeAsync();
    },
  };
}
