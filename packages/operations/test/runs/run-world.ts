import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  type CommandResult,
  type CommandRunner,
  ComebackError,
  type LogRecord,
  type Notification,
  type RunOutcome,
  type StageRecord,
} from "@comeback/core";
import { listSnapshots, Repository, RepositoryLock, type Snapshot } from "@comeback/engine";
import {
  FaultyBackend,
  MemoryBackend,
  MemoryCatalog,
  SeededRandom,
  SimulatedClock,
  StagedSnapshotter,
  StagedSource,
} from "@comeback/testkit";
import {
  type Configuration,
  configuration as configurationSchema,
} from "../../src/configuration/schema/configuration.ts";
import type { KitFile } from "../../src/runs/bootstrap-kit.ts";
import { runPlan, type RunReport } from "../../src/runs/run-plan.ts";
import type { OpenDestination, RunServices } from "../../src/runs/run-services.ts";
import type { RunRequest } from "../../src/runs/run-state.ts";
import { undoExecutor } from "../../src/undo/undo-executor.ts";
import { UndoStack } from "../../src/undo/undo-stack.ts";
import { listLeftOver } from "../../src/undo/left-over.ts";
import { scratchFolder } from "../undo/scratch.ts";

const KIT = "kit";
const PASSWORD = "staged";
const CHEAP_SCRYPT = { N: 2, r: 1, p: 1 };
export const START_MS: number = Date.UTC(2026, 1, 2, 2);
export const HOUR_MS: number = 3_600_000;
export const DAY_MS: number = 24 * HOUR_MS;

type Json = Readonly<Record<string, unknown>>;

/** A store and what a test does to it. */
class Store {
  readonly memory = new MemoryBackend();
  /** Set by a test: what the next opening gets in front of the store. */
  prepare: (backend: FaultyBackend) => unknown = () => undefined;
  openings = 0;

  open(): FaultyBackend {
    this.openings++;
    const backend = new FaultyBackend(this.memory.sharing());
    this.prepare(backend);
    return backend;
  }
}

/** The world of runs: real engine, journal and locks; stores, catalog and time are the test's. */
export class RunWorld implements RunServices {
  readonly folder: string = scratchFolder();
  readonly stateFolder: string = join(this.folder, "state");
  readonly clock = new SimulatedClock(START_MS);
  catalog = new MemoryCatalog();
  readonly random = new SeededRandom(5);
  host = "web1";
  readonly programVersion = "comeback test";
  readonly actor = "root@web1";
  readonly configurationFiles = [{ path: "/etc/comeback/comeback.yaml", text: "plans: {}\n" }];
  readonly stores = new Map<string, Store>();
  readonly sources = new Map<string, StagedSource>();
  readonly snapshotter: StagedSnapshotter;
  readonly stages: StageRecord[] = [];
  readonly log: LogRecord[] = [];
  readonly notifications: Notification[] = [];
  abort = new AbortController();
  /** What shell lines do: their text, and what comes of it. */
  readonly commands = new Map<string, () => number | Promise<number>>();
  readonly ran: string[] = [];
  readonly flags = new Set<string>();
  configuration: Configuration;
  /** What the last run put into its bootstrap kit. */
  kit: readonly KitFile[] = [];
  /** Called at every word of the run to whoever watches. */
  onEvent: () => void = () => undefined;
  free: (destination: string) => number | undefined = () => undefined;

  private constructor() {
    mkdirSync(join(this.folder, "frozen"));
    mkdirSync(join(this.folder, "data"));
    this.snapshotter = new StagedSnapshotter(join(this.folder, "frozen"));
    this.configuration = configurationSchema.parse({ destinations: {}, plans: {} });
    this.commands.set("flag up", () => (this.flags.add("maintenance"), 0));
    this.commands.set("flag down", () => (this.flags.delete("maintenance"), 0));
  }

  /** A world with a plan `shop`, in which each source is a folder of its own with two files. */
  static async make(plan: Json, destinations: Readonly<Record<string, Json>> = {}) {
    const world = new RunWorld();
    const {
      to,
      copies = [],
      sources,
    } = plan as {
      to: string | string[];
      copies?: { to: string }[];
      sources: Record<string, Json>;
    };
    const names = new Set([to, copies.map((copy) => copy.to)].flat(2));
    const pinning = new Set<string>();
    const settled = Object.entries(sources).map(([name, { pins, ...settings }]) => {
      if (pins === true) pinning.add(name);
      return [name, { files: world.pathOf(name), ...settings }];
    });
    world.configuration = configurationSchema.parse({
      timezone: "UTC",
      snapshotters: { frozen: { command: { create: "true", remove: "true" } } },
      destinations: Object.fromEntries(
        [...names].map((name) => [
          name,
          { repo: `memory:${name}`, password: { env: "X" }, ...destinations[name] },
        ]),
      ),
      plans: { shop: { ...plan, sources: Object.fromEntries(settled) } },
    });
    for (const name of names) world.stores.set(name, await makeStore(world));
    for (const name of [...Object.keys(sources), KIT]) {
      world.write(name, { a: `${name} a`, b: `${name} b` });
      const pinsMoment = pinning.has(name);
      world.sources.set(name, await StagedSource.of(world.pathOf(name), { pinsMoment }));
    }
    return world;
  }

  /** The next runs are another host's, with the same plans, stores and catalog. */
  becomeHost(host: string): void {
    this.host = host;
    this.catalog = this.catalog.forHost(host);
  }

  pathOf(source: string): string {
    return join(this.folder, "data", source);
  }

  write(source: string, files: Readonly<Record<string, string | Uint8Array | null>>): void {
    const folder = this.pathOf(source);
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      if (content === null) rmSync(join(folder, name));
      else writeFileSync(join(folder, name), content);
    }
  }

  source(name: string): StagedSource {
    return this.sources.get(name)!;
  }

  store(name: string): Store {
    return this.stores.get(name)!;
  }

  /** Runs the plan; the clock goes on by an hour before it, so that no two moments are the same. */
  async run(request: Partial<RunRequest> = {}): Promise<RunReport> {
    await this.clock.advance(HOUR_MS);
    this.stages.length = 0;
    this.log.length = 0;
    return runPlan(
      {
        plan: "shop",
        type: "incremental",
        trigger: "manual",
        dryRun: false,
        accept: false,
        part: "all",
        ...request,
      },
      this,
    );
  }

  /** The same world after a run of it was aborted: the next process. */
  again(): this {
    this.abort = new AbortController();
    return this;
  }

  /** A destination as anybody else sees it. */
  openFor(destination: string): Promise<Repository> {
    return this.#openRepository(this.store(destination).memory.sharing());
  }

  /** The plan's snapshots in a destination, oldest first, without the kit's. */
  async snapshots(destination: string, source?: string): Promise<Snapshot[]> {
    await using repository = await this.openFor(destination);
    const all = await listSnapshots(repository);
    const wanted = source === undefined ? "source:" : `source:${source}`;
    return all.filter(({ tags = [] }) => {
      if (source === undefined && tags.includes("source:comeback-kit")) return false;
      return tags.some((tag) => (source === undefined ? tag.startsWith(wanted) : tag === wanted));
    });
  }

  /** A stage's outcome, or `undefined` where it did not take place. */
  outcomeOf(stage: StageRecord["stage"], subject?: string): StageRecord["outcome"] {
    return this.ended.find((one) => one.stage === stage && one.subject === subject)?.outcome;
  }

  get ended(): StageRecord[] {
    return this.stages.filter(({ endedAtMs }) => endedAtMs !== undefined);
  }

  said(pattern: RegExp): boolean {
    return this.log.some(({ text }) => pattern.test(text));
  }

  /** What a run must never leave behind, whatever became of it. */
  async leftBehind(): Promise<string[]> {
    const locks = [...this.stores].flatMap(([name, { memory }]) =>
      [...memory.contents().get("lock")!.keys()].map(() => `a lock in ${name}`),
    );
    return [
      ...locks,
      ...this.flags,
      ...(await this.snapshotter.standing()),
      ...[...this.sources].flatMap(([name, { held }]) => (held > 0 ? [`${name} is held`] : [])),
      ...(await listLeftOver(this.stateFolder)).map(({ runId }) => `journal of ${runId}`),
      ...(await this.catalog.listOpenRuns()).map(({ id }) => `open run ${id}`),
    ];
  }

  /** Every byte of stores and state, for those who must not change any. */
  async bytes(): Promise<string[]> {
    const stored = [...this.stores].flatMap(([name, { memory }]) =>
      [...memory.contents()].flatMap(([type, files]) =>
        [...files].map(([id, data]) => `${name} ${type} ${id} ${data.byteLength}`),
      ),
    );
    const paths = readdirSync(this.folder, { recursive: true, encoding: "utf8" });
    const inFolder = paths.map((path) => {
      const status = statSync(join(this.folder, path));
      return `${path} ${status.size} ${status.mtimeMs}`;
    });
    const runs = await this.catalog.listRuns({ limit: 100 });
    const recorded = await this.catalog.listSnapshots({ limit: 100 });
    const audit = await this.catalog.listAudit(0, 100);
    return [
      ...stored,
      ...inFolder,
      ...[...runs, ...recorded, ...audit].map((one) => JSON.stringify(one)),
    ].toSorted();
  }

  // What a run is handed.

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  readonly runner: CommandRunner = {
    run: async ({ argv, signal }) => {
      signal.throwIfAborted();
      const line = argv.at(-1)!;
      this.ran.push(line);
      const exitCode = (await this.commands.get(line)?.()) ?? 0;
      return {
        exitCode,
        endedBy: null,
        hasTimedOut: false,
        stdout: "",
        lastWords: "",
      } satisfies CommandResult;
    },
    stream: () => {
      throw new Error("nothing is streamed here");
    },
  };

  readonly actions: RunServices["actions"] = {
    runner: this.runner,
    fetch,
    resolveSecret: () => Promise.reject(new Error("there is no secret")),
  };

  readonly observer: RunServices["observer"] = {
    onRun: () => this.onEvent(),
    onStage: (stage) => {
      this.stages.push(stage);
      this.onEvent();
    },
    onLog: (line) => {
      this.log.push(line);
      // Whoever waits to try again need not really wait.
      if (line.text.includes("tried again in")) void this.#skipPause();
      this.onEvent();
    },
    onProgress: () => this.onEvent(),
  };

  async #skipPause(): Promise<void> {
    while (this.clock.sleeping === 0) await setImmediate();
    await this.clock.advance(this.clock.nextWakeAtMs! - this.clock.now());
  }

  async openDestination(
    name: string,
    { activity, signal }: Parameters<RunServices["openDestination"]>[1],
  ): Promise<OpenDestination> {
    signal.throwIfAborted();
    const repository = await this.#openRepository(this.store(name).open());
    const lost = new AbortController();
    try {
      const lock = await RepositoryLock.acquire(repository, {
        exclusive: false,
        activity,
        clock: this.clock,
        onLost: (error) => lost.abort(error),
      });
      return {
        repository,
        mayWrite: lock.confirmed,
        signal: lost.signal,
        [Symbol.asyncDispose]: async () => {
          try {
            await lock[Symbol.asyncDispose]();
          } finally {
            await repository[Symbol.asyncDispose]();
          }
        },
      };
    } catch (error) {
      await repository[Symbol.asyncDispose]();
      throw error;
    }
  }

  #openRepository(backend: FaultyBackend | MemoryBackend): Promise<Repository> {
    return Repository.open({ backend, password: PASSWORD, clock: this.clock, random: this.random });
  }

  async freeBytes(name: string): Promise<number | undefined> {
    return this.free(name);
  }

  async checkpointOf(): Promise<undefined> {
    return undefined;
  }

  makeKit(files: readonly KitFile[]): StagedSource {
    this.kit = files;
    return this.source(KIT);
  }

  makeSource(settings: Parameters<RunServices["makeSource"]>[0]): StagedSource {
    const { paths } = settings.settings as { paths: readonly string[] };
    return this.source(paths[0]!.slice(this.pathOf("").length + 1));
  }

  makeSnapshotter(): StagedSnapshotter {
    return this.snapshotter;
  }

  openUndo({ runId, plan }: { readonly runId: string; readonly plan: string }): Promise<UndoStack> {
    const executor = undoExecutor({ ...this.actions, snapshotter: () => this.snapshotter });
    const { stateFolder, clock } = this;
    return UndoStack.open({ stateFolder, runId, plan, clock, executor });
  }

  async undoLeftOver(): Promise<void> {
    if ((await listLeftOver(this.stateFolder)).length === 0) return;
    throw new ComebackError("undo.incomplete", "a run left something behind");
  }

  async replicate(): Promise<string> {
    return "";
  }

  async notify(_: readonly string[], notification: Notification): Promise<void> {
    this.notifications.push(notification);
  }
}

/** An empty repository; making one takes longer than to copy it. */
let made: MemoryBackend | undefined;

async function makeStore({ clock }: RunWorld): Promise<Store> {
  const store = new Store();
  if (made === undefined) {
    made = new MemoryBackend();
    await using _ = await Repository.init({
      backend: made.sharing(),
      password: PASSWORD,
      clock,
      random: new SeededRandom(1),
      scryptCost: CHEAP_SCRYPT,
    });
  }
  const copy = made.clone();
  return Object.assign(store, { memory: copy });
}

export function assertOutcome({ run }: RunReport, expected: RunOutcome): void {
  assert.equal(run.outcome, expected, run.message ?? "it says nothing");
}
