import { type CatalogStore, ExitCode, type Notification } from "@comeback/core";
import type { Configuration } from "@comeback/operations";
import {
  ChildRuns,
  Daemon,
  type DaemonEvent,
  type DaemonParts,
  notificationOfEvent,
  serviceManager,
  type StartedRun,
  type StartRequest,
} from "@comeback/server";
import type { CommandContext } from "../context.ts";
import { renderError, reportOf } from "../render-error.ts";
import { printableText } from "../terminal/printable.ts";
import { lockDaemon } from "./daemon-lock.ts";
import { daemonMessage, logLineOf } from "./daemon-log.ts";

/** What a daemon works with, put together from the configuration. */
export interface DaemonWorld {
  readonly stateFolder: string;
  /** Open until the daemon has ended; whoever opened it closes it. */
  readonly catalog: CatalogStore;
  readonly version: string;
  /** What runs are started with in front of "run": the program, and `--config` where it was given. */
  readonly command: readonly [string, ...string[]];
  loadConfiguration(signal: AbortSignal): Promise<Configuration>;
  undoLeftOver(signal: AbortSignal): Promise<void>;
  countLeftOver(): Promise<number>;
  sendDigest(channel: string, signal: AbortSignal): Promise<void>;
  /** Tells the channels of a plan, or of all plans where the message is about none. */
  notify(notification: Notification, signal: AbortSignal): Promise<void>;
}

export interface DaemonFlags {
  /** Starts what is due, waits for it, and ends. */
  readonly once: boolean;
}

/** `comeback daemon`; resolves to the exit code. Rejects where it could not begin. */
export async function runDaemon(
  context: CommandContext,
  world: DaemonWorld,
  { once }: DaemonFlags,
): Promise<number> {
  const { signal, clock } = context;
  await using _lock = await lockDaemon(world.stateFolder);
  const { host } = world.catalog;
  const telling = new Set<Promise<void>>();
  const report = (event: DaemonEvent): void => {
    print(context, event);
    const notification = notificationOfEvent(event, { host, atMs: clock.now() });
    if (notification === undefined) return;
    // A channel that fails is a line in the log, and no more.
    const told: Promise<void> = world
      .notify(notification, AbortSignal.timeout(NOTIFY_MAX_MS))
      .catch((error: unknown) =>
        context.terminal.printError(`nobody could be told: ${String(error)}`),
      )
      .finally(() => telling.delete(told));
    telling.add(told);
  };
  const daemon = new Daemon(partsOf(context, world, report));
  using _reloads = onHangUp(() => void daemon.reload(signal));
  await (once ? daemon.runOnce(signal) : daemon.run(signal));
  await Promise.all(telling);
  // To be stopped is what it was made for.
  return ExitCode.done;
}

/** Several channels, each with its tries, in the last moments of a daemon. */
const NOTIFY_MAX_MS = 60_000;

function partsOf(
  context: CommandContext,
  world: DaemonWorld,
  report: (event: DaemonEvent) => void,
): DaemonParts {
  const { clock, env, signal, terminal } = context;
  const runs = new ChildRuns({
    command: world.command,
    env: runEnvironment(env),
    onLine: ({ plan }, line) => terminal.printError(printableText(`${plan}: ${line}`)),
  });
  return {
    clock,
    catalog: world.catalog,
    version: world.version,
    manager: serviceManager(env),
    loadConfiguration: (either) => world.loadConfiguration(either),
    undoLeftOver: (either) => world.undoLeftOver(either),
    countLeftOver: () => world.countLeftOver(),
    start: (request) => start(request, runs, world, signal),
    signalRuns: (name) => runs.signalAll(name),
    report,
  };
}

async function start(
  request: StartRequest,
  runs: ChildRuns,
  world: DaemonWorld,
  signal: AbortSignal,
): Promise<StartedRun> {
  const { job } = request;
  if (job.kind !== "digest") return runs.start(request);
  const ended = world.sendDigest(job.channel, signal).then(
    () => ({ outcome: "ok" }) as const,
    (error: unknown) => ({ outcome: "failed", message: String(error) }) as const,
  );
  return { ended };
}

/** What is for the daemon alone would have systemd take a run for it. */
function runEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NOTIFY_SOCKET: _1, WATCHDOG_USEC: _2, WATCHDOG_PID: _3, ...rest } = env;
  return rest;
}

function onHangUp(reload: () => void): Disposable {
  process.on("SIGHUP", reload);
  return { [Symbol.dispose]: () => process.off("SIGHUP", reload) };
}

/** Problems on standard error, with the level that the journal files them under. */
function print({ terminal, globals }: CommandContext, event: DaemonEvent): void {
  if (globals.json) return terminal.print(daemonMessage(event));
  const { level, text, error } = logLineOf(event);
  const line = printableText(text);
  if (level !== "info") terminal.printError(`${level}: ${line}`);
  if (error !== undefined) {
    terminal.printError(renderError(reportOf(error), terminal.errorPalette, terminal.columns));
  }
  if (level === "info" && !globals.quiet) terminal.print(line);
}
