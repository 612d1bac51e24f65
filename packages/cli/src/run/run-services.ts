import { hostname, userInfo } from "node:os";
import { readFile, statfs } from "node:fs/promises";
import { ComebackError } from "@comeback/core";
import {
  isClean,
  listLeftOver,
  type LoadedConfiguration,
  resolveSecret,
  type RunObserver,
  type RunServices,
  stateFolder as stateFolderOf,
  undoLeftOver,
  UndoStack,
  undoExecutor,
} from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import { checkpointOf } from "../backup/kept-checkpoint.ts";
import { openRunCatalog } from "./open-run-catalog.ts";
import { destinationContext } from "../configuration/destination-context.ts";
import { loadForCommand } from "../configuration/load-for-command.ts";
import { validateTrigger } from "../configuration/plan-parts.ts";
import type { CommandContext } from "../context.ts";
import { notifyChannels } from "../notify/notify-channels.ts";
import { openDispatcher } from "../notify/open-dispatcher.ts";
import { isFolderLocation } from "../opening/find-backend.ts";
import { openSession } from "../opening/session.ts";
import { makeProtectedSource } from "../sources/make-protected-source.ts";
import { makeSnapshotter } from "../sources/make-snapshotter.ts";
import { sourceServicesFor } from "../sources/source-services-for.ts";
import { undoExecutorFor } from "../undo/undo-executor-for.ts";
import { watchdogCommand } from "../undo/watchdog-command.ts";
import { PROGRAM_VERSION } from "../version.ts";
import { isInWindowNow } from "./is-in-window-now.ts";
import { kitSource } from "./kit-source.ts";
import { replicateDestination } from "./replicate-destination.ts";

/** The world of runs, put together from the configuration; disposing closes the catalog. */
export type OpenRunServices = RunServices & AsyncDisposable & { readonly loaded: LoadedConfiguration };

export async function openRunServices(
  context: CommandContext,
  observer: RunObserver,
): Promise<OpenRunServices> {
  const { clock, random, signal, env, globals } = context;
  const loaded = await loadForCommand(context, globals.configurationPath, validateTrigger);
  const { configuration } = loaded;
  const stateFolder = configuration.state ?? stateFolderOf(env);
  const catalog = await openRunCatalog(context, configuration, stateFolder);
  const dispatcher = openDispatcher(configuration, { env, clock, catalog, stateFolder });
  const world = { env, commands: systemCommandRunner, signal };
  const sourceServices = sourceServicesFor({ env, clock });
  const host = configuration.host ?? hostname();
  const snapshotterOf = (name: string) => {
    const settings = configuration.snapshotters[name];
    return settings === undefined ? undefined : makeSnapshotter(settings, sourceServices);
  };
  const actions = {
    runner: systemCommandRunner,
    fetch,
    resolveSecret: (reference: Parameters<typeof resolveSecret>[0], either: AbortSignal) =>
      resolveSecret(reference, { ...world, signal: either }, "an action's secret"),
  };
  const contextOf = (name: string, either: AbortSignal) =>
    destinationContext({ ...context, signal: either }, loaded, name, {
      isInWindow: (window) => isInWindowNow(window, configuration, clock.now()),
    });
  return {
    loaded,
    configuration,
    catalog,
    clock,
    random,
    host,
    programVersion: PROGRAM_VERSION,
    stateFolder,
    actor: `${userInfo().username}@${host}`,
    actions,
    observer,
    signal,
    configurationFiles: await Promise.all(
      loaded.files.map(async (path) => ({ path, text: await readFile(path, "utf8") })),
    ),

    async openDestination(name, { activity, useCache, signal: either }) {
      const own = await contextOf(name, either);
      return openSession(own, {
        lock: "shared",
        ...(activity === undefined ? {} : { activity }),
        ...(useCache === undefined ? {} : { useCache }),
      });
    },

    async freeBytes(name) {
      const { repo } = configuration.destinations[name]!;
      if (!isFolderLocation(repo)) return undefined;
      const { bavail, bsize } = await statfs(repo.replace(/^local:/, ""));
      return bavail * bsize;
    },

    checkpointOf: (repository, which) => checkpointOf(context, repository, which),

    makeSource: (settings) => makeProtectedSource(settings, sourceServices),

    makeKit: (files) => kitSource(files),

    makeSnapshotter(name) {
      const snapshotter = snapshotterOf(name);
      if (snapshotter !== undefined) return snapshotter;
      throw new ComebackError("plan.not-found", `there is no snapshotter ${name}`, {
        next: "name it under `snapshotters`",
      });
    },

    openUndo: ({ runId, plan }) =>
      UndoStack.open({
        stateFolder,
        runId,
        plan,
        clock,
        executor: undoExecutor({ ...actions, snapshotter: snapshotterOf }),
        watchdog: watchdogCommand(),
        settings: { configuration: loaded.files[0] ?? null },
      }),

    async undoLeftOver(either, onLine) {
      const leftOver = await listLeftOver(stateFolder);
      const executorFor = undoExecutorFor({ env, clock });
      const reports = await undoLeftOver(leftOver, { executorFor, clock, signal: either });
      for (const { runId, undone } of reports) {
        for (const description of undone) onLine(`undone, of run ${runId}: ${description}`);
      }
      const dirty = reports.find((report) => !isClean(report));
      if (dirty === undefined) return;
      throw new ComebackError("undo.incomplete", `run ${dirty.runId} left something behind`, {
        why: dirty.failed[0]?.message ?? "its journal is damaged",
        next: "see `comeback run --undo --dry-run`, and mend what stands in the way",
      });
    },

    async replicate({ from, to }, either) {
      const target = configuration.destinations[to]!;
      return replicateDestination(await contextOf(from, either), target);
    },

    notify: (channels, notification) =>
      notifyChannels(dispatcher, channels, { notification, signal }),

    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  };
}
