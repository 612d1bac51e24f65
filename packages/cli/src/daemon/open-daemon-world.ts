import { type Clock, ComebackError, NOTIFY_FLUSH_INTERVAL_MS } from "@comeback/core";
import {
  type Configuration,
  type NotificationDispatcher,
  stateFolder as stateFolderOf,
} from "@comeback/operations";
import { damageOf, isClean, listLeftOver, undoLeftOver } from "@comeback/operations/undo";
import { hostOf } from "../configuration/host-of.ts";
import { loadForCommand } from "../configuration/load-for-command.ts";
import { validateTrigger } from "../configuration/plan-parts.ts";
import type { CommandContext } from "../context.ts";
import { HEAP_FLAG } from "../heap-flag.ts";
import { openDispatcher } from "../notify/open-dispatcher.ts";
import { tellOfDaemon } from "../notify/tell-of-daemon.ts";
import { openRunCatalog } from "../run/open-run-catalog.ts";
import { undoExecutorFor } from "../undo/undo-executor-for.ts";
import { VERSION } from "../version.ts";
import type { DaemonWorld } from "./run-daemon.ts";

/** What the daemon works with. The state folder and the catalog are those of its start. */
export async function openDaemonWorld(
  context: CommandContext,
): Promise<DaemonWorld & AsyncDisposable> {
  const { env, clock, signal, globals } = context;
  const load = (either: AbortSignal) =>
    loadForCommand({ env, signal: either }, globals.configurationPath, validateTrigger);
  let { configuration } = await load(signal);
  const stateFolder = configuration.state ?? stateFolderOf(env);
  const catalog = await openRunCatalog(context, configuration);
  const given = { env, clock, catalog, stateFolder };
  let dispatcher: NotificationDispatcher = openDispatcher(configuration, given);
  const ended = new AbortController();
  const flushing = keepFlushing(() => dispatcher, clock, AbortSignal.any([signal, ended.signal]));
  const main = process.argv[1] ?? "";
  const place =
    globals.configurationPath === undefined ? [] : ["--config", globals.configurationPath];
  return {
    stateFolder,
    catalog,
    version: VERSION,
    command: [process.execPath, HEAP_FLAG, main, ...place],
    async loadConfiguration(either): Promise<Configuration> {
      const loaded = await load(either);
      if (hostOf(loaded.configuration) !== catalog.host) throw hostChanged(catalog.host);
      ({ configuration } = loaded);
      dispatcher = openDispatcher(configuration, given);
      return configuration;
    },
    async undoLeftOver(either) {
      const reports = await undoLeftOver(await listLeftOver(stateFolder), {
        executorFor: undoExecutorFor({ env, clock }),
        clock,
        signal: either,
      });
      const dirty = reports.find((report) => !isClean(report));
      if (dirty === undefined) return;
      throw new ComebackError("undo.incomplete", `run ${dirty.runId} left something behind`, {
        why: dirty.failed[0]?.message ?? damageOf(dirty),
        next: "see `comeback run --undo --dry-run`, and mend what stands in the way",
      });
    },
    countLeftOver: async () =>
      (await listLeftOver(stateFolder)).reduce(
        (sum, { steps, damagedLines }) => sum + steps.length + damagedLines.length,
        0,
      ),
    async sendDigest(channel, either) {
      await dispatcher.sendDigest(channel, either);
    },
    notify: (notification, either) =>
      tellOfDaemon(configuration, dispatcher, { notification, signal: either }),
    async [Symbol.asyncDispose]() {
      ended.abort();
      await flushing;
      await catalog[Symbol.asyncDispose]();
    },
  };
}

/** Its runs would be another host's, of which this daemon would see none. */
function hostChanged(host: string): ComebackError {
  return new ComebackError("configuration.invalid", "`host` cannot change while the daemon runs", {
    why: `it has begun as ${host}, and what it knows of its plans is that host's`,
    next: "restart the daemon",
  });
}

/** Messages that could not be delivered are tried again until they can. */
async function keepFlushing(
  dispatcher: () => NotificationDispatcher,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(NOTIFY_FLUSH_INTERVAL_MS, signal);
      await dispatcher().flush(signal);
    } catch {
      // Told by `comeback notify`, and by the next message that gets through.
    }
  }
}
