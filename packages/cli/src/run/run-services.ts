import { userInfo } from "node:os";
import { readFile } from "node:fs/promises";
import {
  type CatalogStore,
  type Clock,
  ComebackError,
  isComebackError,
  type Notification,
  type ProtectedSource,
  type Random,
  type Snapshotter,
} from "@comeback/core";
import {
  type ActionServices,
  type Configuration,
  damageOf,
  emptyCatalog,
  type KeptCheckpoint,
  type KitFile,
  listLeftOver,
  type LoadedConfiguration,
  type NotificationDispatcher,
  type RunObserver,
  type RunServices,
  type SourceSettings,
  stateFolder as stateFolderOf,
  undoExecutor,
  undoLeftOver,
  UndoStack,
  unusableCatalog,
} from "@comeback/operations";
import { checkpointOf } from "../backup/kept-checkpoint.ts";
import { destinationContext } from "../configuration/destination-context.ts";
import { hostOf } from "../configuration/host-of.ts";
import { loadForCommand } from "../configuration/load-for-command.ts";
import { validateTrigger } from "../configuration/plan-parts.ts";
import type { CommandContext } from "../context.ts";
import { notifyChannels } from "../notify/notify-channels.ts";
import { openDispatcher } from "../notify/open-dispatcher.ts";
import { freeBytesAt } from "../opening/free-bytes.ts";
import { openSession, type Session } from "../opening/session.ts";
import { makeProtectedSource } from "../sources/make-protected-source.ts";
import { makeSnapshotter } from "../sources/make-snapshotter.ts";
import type { SourceServices } from "../sources/source-services.ts";
import { sourceServicesFor } from "../sources/source-services-for.ts";
import { undoExecutorFor } from "../undo/undo-executor-for.ts";
import { watchdogCommand } from "../undo/watchdog-command.ts";
import { PROGRAM_VERSION } from "../version.ts";
import { isInWindowNow } from "./is-in-window-now.ts";
import { kitSource } from "./kit-source.ts";
import { openRunCatalog } from "./open-run-catalog.ts";
import { replicateDestination } from "./replicate-destination.ts";
import { runClock } from "./run-clock.ts";

/** The world of runs, put together from the configuration. Disposing closes the catalog. */
export class OpenRunServices implements RunServices, AsyncDisposable {
  readonly #context: CommandContext;
  readonly #loaded: LoadedConfiguration;
  readonly #sources: SourceServices;
  readonly #dispatcher: NotificationDispatcher;
  readonly configuration: Configuration;
  readonly configurationFiles: RunServices["configurationFiles"];
  readonly catalog: CatalogStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly host: string;
  readonly programVersion: string = PROGRAM_VERSION;
  readonly stateFolder: string;
  readonly actor: string;
  readonly actions: ActionServices;
  readonly observer: RunObserver;
  readonly signal: AbortSignal;

  private constructor(given: {
    readonly context: CommandContext;
    readonly observer: RunObserver;
    readonly loaded: LoadedConfiguration;
    readonly files: RunServices["configurationFiles"];
    readonly catalog: CatalogStore;
    readonly stateFolder: string;
  }) {
    const { context, loaded } = given;
    const { env, clock, random, signal } = context;
    this.#context = context;
    this.#loaded = loaded;
    this.#sources = sourceServicesFor({ env, clock });
    const { catalog, stateFolder } = given;
    this.#dispatcher = openDispatcher(loaded.configuration, { env, clock, catalog, stateFolder });
    this.configuration = loaded.configuration;
    this.configurationFiles = given.files;
    this.catalog = given.catalog;
    this.clock = runClock(clock, env);
    this.random = random;
    this.signal = signal;
    this.stateFolder = given.stateFolder;
    this.observer = given.observer;
    this.host = hostOf(loaded.configuration);
    this.actor = `${userInfo().username}@${this.host}`;
    this.actions = {
      runner: this.#sources.runner,
      fetch,
      resolveSecret: (reference, either) => this.#sources.resolveSecret(reference, either),
    };
  }

  static async open(
    context: CommandContext,
    observer: RunObserver,
    { isDryRun }: { readonly isDryRun: boolean },
  ): Promise<OpenRunServices> {
    const { globals, env } = context;
    const loaded = await loadForCommand(context, globals.configurationPath, validateTrigger);
    const { configuration } = loaded;
    const stateFolder = configuration.state ?? stateFolderOf(env);
    const files = await Promise.all(
      loaded.files.map(async (path) => ({ path, text: await readFile(path, "utf8") })),
    );
    const catalog = await openRunCatalog(context, configuration, !isDryRun).catch(
      (error: unknown) => {
        context.signal.throwIfAborted();
        if (isDryRun && isComebackError(error, "catalog.none"))
          return emptyCatalog(hostOf(configuration));
        // Without it there is no history, and still a backup: the run tells.
        return unusableCatalog(hostOf(configuration), error);
      },
    );
    return new OpenRunServices({ context, observer, loaded, files, catalog, stateFolder });
  }

  async openDestination(
    name: string,
    { activity, useCache, signal }: Parameters<RunServices["openDestination"]>[1],
  ): Promise<Session> {
    return openSession(await this.#contextOf(name, signal), {
      lock: "shared",
      ...(activity === undefined ? {} : { activity }),
      ...(useCache === undefined ? {} : { useCache }),
    });
  }

  freeBytes(name: string): Promise<number | undefined> {
    return freeBytesAt(this.configuration.destinations[name]!.repo);
  }

  checkpointOf(
    ...given: Parameters<RunServices["checkpointOf"]>
  ): Promise<KeptCheckpoint | undefined> {
    return checkpointOf(this.#context, ...given);
  }

  makeSource(settings: SourceSettings): ProtectedSource {
    return makeProtectedSource(settings, this.#sources);
  }

  makeKit(files: readonly KitFile[]): ProtectedSource {
    return kitSource(files);
  }

  makeSnapshotter(name: string): Snapshotter {
    const snapshotter = this.#snapshotter(name);
    if (snapshotter !== undefined) return snapshotter;
    throw new ComebackError("plan.not-found", `there is no snapshotter ${name}`, {
      next: "name it under `snapshotters`",
    });
  }

  openUndo({ runId, plan }: { readonly runId: string; readonly plan: string }): Promise<UndoStack> {
    const { stateFolder, actions } = this;
    const { clock } = this.#context;
    return UndoStack.open({
      stateFolder,
      runId,
      plan,
      clock,
      executor: undoExecutor({ ...actions, snapshotter: (name) => this.#snapshotter(name) }),
      watchdog: watchdogCommand(),
      settings: { configuration: this.#loaded.files[0] ?? null },
    });
  }

  async undoLeftOver(signal: AbortSignal, onLine: (line: string) => void): Promise<void> {
    const { clock } = this.#context;
    const leftOver = await listLeftOver(this.stateFolder);
    const executorFor = undoExecutorFor({ env: this.#context.env, clock });
    const reports = await undoLeftOver(leftOver, { executorFor, clock, signal });
    for (const { runId, undone } of reports) {
      for (const description of undone) onLine(`undone, of run ${runId}: ${description}`);
    }
    // Of what cannot be read nothing can be undone by waiting: it is told, and the plan runs.
    for (const report of reports.filter(({ damagedLines }) => damagedLines.length > 0)) {
      onLine(
        `run ${report.runId}: ${damageOf(report)}; \`comeback run --undo\` shows and clears it`,
      );
    }
    const dirty = reports.find(({ failed }) => failed.length > 0);
    const [first] = dirty?.failed ?? [];
    if (dirty === undefined || first === undefined) return;
    throw new ComebackError("undo.incomplete", `run ${dirty.runId} left something behind`, {
      why: first.message,
      next: "see `comeback run --undo --dry-run`, and mend what stands in the way",
    });
  }

  async replicate(
    { from, to }: { readonly from: string; readonly to: string },
    signal: AbortSignal,
  ): Promise<string> {
    const target = this.configuration.destinations[to]!;
    return replicateDestination(await this.#contextOf(from, signal), target);
  }

  notify(channels: readonly string[], notification: Notification): Promise<void> {
    return notifyChannels(this.#dispatcher, channels, { notification, signal: this.signal });
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.catalog[Symbol.asyncDispose]();
  }

  #snapshotter(name: string): Snapshotter | undefined {
    const settings = this.configuration.snapshotters[name];
    return settings === undefined ? undefined : makeSnapshotter(settings, this.#sources);
  }

  #contextOf(name: string, signal: AbortSignal): Promise<CommandContext> {
    const { configuration, clock } = this;
    return destinationContext({ ...this.#context, signal }, this.#loaded, name, {
      isInWindow: (window) => isInWindowNow(window, configuration, clock.now()),
    });
  }
}
