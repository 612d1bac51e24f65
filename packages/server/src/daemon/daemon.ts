import {
  type CatalogStore,
  type Clock,
  DAEMON_STOP_KILL_MS,
  DAEMON_STOP_WAIT_MS,
  METRICS_TEXTFILE_INTERVAL_MS,
} from "@comeback/core";
import { backupLaneId, type Configuration } from "@comeback/operations";
import { collectMetrics } from "../metrics/collect-metrics.ts";
import { type MetricsServer, serveMetrics } from "../metrics/metrics-server.ts";
import { writeMetricsTextfile } from "../metrics/metrics-textfile.ts";
import { RunCounters } from "../metrics/run-counters.ts";
import { configurationTimings } from "../scheduler/configuration-lanes.ts";
import { Scheduler, type SchedulerEvent, type SchedulerParts } from "../scheduler/scheduler.ts";
import { planCountText } from "./plan-count-text.ts";
import type { ServiceManager } from "./service-manager.ts";

export type DaemonEvent =
  | SchedulerEvent
  | { readonly kind: "ready"; readonly plans: number; readonly metricsUrl?: string | undefined }
  | { readonly kind: "reloaded"; readonly plans: number }
  /** The new configuration has a mistake: the old one goes on. */
  | { readonly kind: "reload-failed"; readonly error: unknown }
  | { readonly kind: "undo-failed"; readonly error: unknown }
  | { readonly kind: "metrics-failed"; readonly error: unknown }
  | { readonly kind: "stopping"; readonly running: number }
  | { readonly kind: "runs-asked-to-end"; readonly running: number }
  | { readonly kind: "runs-ended-by-force"; readonly running: number };

export interface DaemonParts {
  readonly clock: Clock;
  readonly catalog: CatalogStore;
  readonly version: string;
  readonly manager: ServiceManager;
  /** Reads and checks it anew; rejects where it has a mistake. */
  loadConfiguration(signal: AbortSignal): Promise<Configuration>;
  /** Undoes what runs have left behind that died; rejects where something cannot be undone. */
  undoLeftOver(signal: AbortSignal): Promise<void>;
  countLeftOver(): Promise<number>;
  /** Starts a run, or sends a digest. */
  readonly start: SchedulerParts["start"];
  /** Asks all runs to end, or ends them. */
  signalRuns(name: "SIGTERM" | "SIGKILL"): void;
  report(event: DaemonEvent): void;
}

/**
 * Runs the schedule until it is stopped. At the start it first undoes what is left over. A stop
 * starts nothing more, waits for what runs, then asks it to end, and at last ends it; what a backup
 * has stored by then is not stored again.
 */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #scheduler: Scheduler;
  readonly #counters: RunCounters = new RunCounters();
  #configuration: Configuration | undefined;
  #isCurrent = true;
  #metricsServer: { readonly listen: string; readonly server: MetricsServer } | undefined;
  /** One after the other. */
  #reloads: Promise<void> = Promise.resolve();

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    const { clock, catalog, start } = parts;
    this.#scheduler = new Scheduler({
      clock,
      catalog,
      start,
      report: (event) => {
        this.#counters.count(event);
        parts.report(event);
      },
    });
  }

  /** Resolves once it was stopped. Rejects where it could not even begin. */
  async run(signal: AbortSignal): Promise<void> {
    const { manager, report } = this.#parts;
    await this.#undoLeftOver(signal);
    await this.#takeUp(await this.#parts.loadConfiguration(signal), signal);
    const metricsUrl = this.#metricsServer?.server.url;
    report({ kind: "ready", plans: this.#planCount, metricsUrl });
    manager.ready(this.#status);
    try {
      await Promise.all([
        this.#scheduler.run(signal),
        this.#tellAlive(signal),
        this.#writeTextfile(signal),
      ]);
    } finally {
      manager.stopping();
      await this.#reloads;
      await this.#endRuns();
      await this.#metricsServer?.server[Symbol.asyncDispose]();
    }
  }

  /**
   * Starts what is due, waits for it and for what becomes due meanwhile, and resolves: for a timer
   * that calls it every minute. It serves no metrics, but writes the file, also while it waits: a
   * backup of hours would otherwise look like a daemon that has gone.
   */
  async runOnce(signal: AbortSignal): Promise<void> {
    await this.#undoLeftOver(signal);
    const configuration = await this.#parts.loadConfiguration(signal);
    await this.#scheduler.load(configurationTimings(configuration), signal);
    this.#configuration = configuration;
    const idle = new AbortController();
    const writing = this.#writeTextfile(AbortSignal.any([signal, idle.signal]));
    try {
      await this.#scheduler.run(signal, { untilIdle: true });
    } finally {
      idle.abort();
      await writing;
      await this.#endRuns();
    }
    await this.#writeTextfileOnce();
  }

  /** Takes up the configuration as it is now. Never rejects. */
  reload(signal: AbortSignal): Promise<void> {
    this.#reloads = this.#reloads.then(() => this.#reload(signal));
    return this.#reloads;
  }

  async #reload(signal: AbortSignal): Promise<void> {
    const { manager, report, loadConfiguration } = this.#parts;
    // Before `run` is ready there is nothing to be taken up anew.
    if (signal.aborted || this.#configuration === undefined) return;
    manager.reloading();
    try {
      await this.#takeUp(await loadConfiguration(signal), signal);
      this.#isCurrent = true;
      report({ kind: "reloaded", plans: this.#planCount });
    } catch (error) {
      this.#isCurrent = false;
      if (!signal.aborted) report({ kind: "reload-failed", error });
    }
    manager.ready(this.#status);
  }

  get #planCount(): number {
    return Object.keys(this.#configuration?.plans ?? {}).length;
  }

  get #status(): string {
    const old = this.#isCurrent ? "" : "; the configuration file has a mistake, an older one runs";
    return `${planCountText(this.#planCount)}${old}`;
  }

  async #undoLeftOver(signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.undoLeftOver(signal);
    } catch (error) {
      signal.throwIfAborted();
      // Told, and tried again by the next run; without backups it would only be worse.
      this.#parts.report({ kind: "undo-failed", error });
    }
  }

  async #takeUp(configuration: Configuration, signal: AbortSignal): Promise<void> {
    // What can fail comes first: of a bad configuration, nothing is taken up.
    const timings = configurationTimings(configuration);
    await this.#scheduler.load(timings, signal);
    this.#configuration = configuration;
    this.#counters.prepare(Object.keys(configuration.plans));
    await this.#serveMetrics(configuration.daemon.metrics.listen);
  }

  async #serveMetrics(listen: string | undefined): Promise<void> {
    if (this.#metricsServer?.listen === listen) return;
    await this.#metricsServer?.server[Symbol.asyncDispose]();
    this.#metricsServer = undefined;
    if (listen === undefined) return;
    try {
      const server = await serveMetrics({
        listen,
        clock: this.#parts.clock,
        collect: () => this.#collect(),
        health: () => undefined,
      });
      this.#metricsServer = { listen, server };
    } catch (error) {
      this.#parts.report({ kind: "metrics-failed", error });
    }
  }

  #collect(): ReturnType<typeof collectMetrics> {
    const { clock, catalog, version, countLeftOver } = this.#parts;
    return collectMetrics({
      configuration: this.#configuration!,
      catalog,
      version,
      nowMs: clock.now(),
      counted: this.#counters.metrics(),
      isConfigurationCurrent: this.#isCurrent,
      nextStartOf: (plan) => this.#scheduler.nextStartOf(backupLaneId(plan)),
      undoLeftOver: countLeftOver,
    });
  }

  async #writeTextfile(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#writeTextfileOnce();
      await sleepUntilAborted(this.#parts.clock, METRICS_TEXTFILE_INTERVAL_MS, signal);
    }
  }

  async #writeTextfileOnce(): Promise<void> {
    const path = this.#configuration?.daemon.metrics.textfile;
    try {
      if (path !== undefined) await writeMetricsTextfile(path, await this.#collect());
    } catch (error) {
      this.#parts.report({ kind: "metrics-failed", error });
    }
  }

  async #tellAlive(signal: AbortSignal): Promise<void> {
    const { clock, manager } = this.#parts;
    if (manager.watchdogMs === undefined) return;
    while (!signal.aborted) {
      manager.alive();
      await sleepUntilAborted(clock, manager.watchdogMs / 2, signal);
    }
  }

  async #endRuns(): Promise<void> {
    const { report, signalRuns } = this.#parts;
    const running = (): number => this.#scheduler.runningCount;
    if (running() === 0) return;
    report({ kind: "stopping", running: running() });
    if (await this.#isIdleWithin(DAEMON_STOP_WAIT_MS)) return;
    report({ kind: "runs-asked-to-end", running: running() });
    signalRuns("SIGTERM");
    if (await this.#isIdleWithin(DAEMON_STOP_KILL_MS)) return;
    report({ kind: "runs-ended-by-force", running: running() });
    signalRuns("SIGKILL");
    await this.#isIdleWithin(DAEMON_STOP_KILL_MS);
  }

  async #isIdleWithin(ms: number): Promise<boolean> {
    const over = new AbortController();
    const idle = this.#scheduler.idle().then(() => true);
    const late = sleepUntilAborted(this.#parts.clock, ms, over.signal).then(() => false);
    try {
      return await Promise.race([idle, late]);
    } finally {
      over.abort();
    }
  }
}

async function sleepUntilAborted(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
