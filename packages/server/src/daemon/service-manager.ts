import { sendToNotifySocket } from "@comeback/platform";

/** What supervises the daemon: systemd, or nothing. */
export interface ServiceManager {
  /** It is to hear from the daemon this often; `undefined` where it does not watch it. */
  readonly watchdogMs: number | undefined;
  ready(status: string): void;
  status(status: string): void;
  reloading(): void;
  stopping(): void;
  alive(): void;
}

/**
 * Talks to systemd by the socket that the environment names (sd_notify(3)). Without one, and where
 * it cannot be reached, nothing happens: no backup fails because of it.
 */
export function serviceManager(env: NodeJS.ProcessEnv): ServiceManager {
  const path = env["NOTIFY_SOCKET"];
  const send = (...lines: string[]): void => {
    if (path === undefined || path === "") return;
    try {
      sendToNotifySocket(path, lines.join("\n"));
    } catch {
      // It notices by itself that it hears nothing.
    }
  };
  return {
    watchdogMs: path === undefined ? undefined : watchdogOf(env),
    ready: (status) => send("READY=1", statusLine(status)),
    status: (status) => send(statusLine(status)),
    reloading: () => {
      const sinceBootUs = process.hrtime.bigint() / 1000n;
      send("RELOADING=1", `MONOTONIC_USEC=${sinceBootUs}`);
    },
    stopping: () => send("STOPPING=1"),
    alive: () => send("WATCHDOG=1"),
  };
}

function statusLine(status: string): string {
  return `STATUS=${status.replaceAll(/\s+/g, " ")}`;
}

function watchdogOf(env: NodeJS.ProcessEnv): number | undefined {
  const forOther = env["WATCHDOG_PID"] !== undefined && env["WATCHDOG_PID"] !== `${process.pid}`;
  const microseconds = Number(env["WATCHDOG_USEC"]);
  return forOther || !(microseconds > 0) ? undefined : microseconds / 1000;
}
