/**
 * A run as far as undoing sees it, to be killed: maintenance on (a flag file, by a program that takes
 * its time), a mount as a snapshot's stand-in, maintenance off, the slow part, the mount gone.
 *
 * undo-run.ts STATE WORK RUN PAUSE_MS MODE; MODE is `watched`, `unwatched`, or `hold`: the run
 * stays in its window for ever; `overrun`: and that is short. Prints a line for each stage, and its watchdog's pid.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MaintenanceSettings } from "@comeback/operations";
import { enterMaintenance, leaveMaintenance } from "@comeback/operations/hooks";
import { markedCommandRunner, undoExecutor, UndoStack } from "@comeback/operations/undo";
import { systemClock, systemCommandRunner } from "@comeback/platform";
import { COMEBACK } from "./tools.ts";

const [stateFolder = "", work = "", runId = "", pauseText = "", mode = ""] = process.argv.slice(2);
const pauseMs = Number(pauseText);
const services = {
  runner: markedCommandRunner(systemCommandRunner),
  fetch,
  resolveSecret: () => Promise.reject(new Error("there is no secret")),
  snapshotter: () => undefined,
};
const { signal } = new AbortController();
const shell = (line: string): readonly [string, ...string[]] => ["/bin/sh", "-c", line];

function say(stage: string): void {
  process.stdout.write(`${stage}\n`);
}

const flag = `${work}/maintenance`;
const mountPoint = `${work}/snapshot`;
const maintenance: MaintenanceSettings = {
  enter: [
    {
      kind: "command",
      // Half of the time it is between two states when it is killed.
      settings: shell(`sleep ${pauseMs / 1000}; touch '${flag}'; sleep ${pauseMs / 1000}`),
      undo: { kind: "command", settings: shell(`rm -f '${flag}'`), timeout: 10_000 },
      timeout: 10_000,
      environment: {},
    },
  ],
  leave: [],
  timeout: mode === "overrun" ? 1_500 : 60_000,
};

const unmount = shell(
  `while mountpoint -q '${mountPoint}'; do umount '${mountPoint}' || exit 1; done`,
);

await using stack = await UndoStack.open({
  stateFolder,
  runId,
  plan: "shop",
  executor: undoExecutor(services),
  clock: systemClock,
  watchdog: mode === "unwatched" ? undefined : { argv: [COMEBACK.command, "watchdog"] },
});
say("open");
const window = await enterMaintenance(stack, maintenance, { services, signal, clock: systemClock });
say(`entered ${stack.watchdogProcessId ?? 0}`);
if (mode === "hold") await sleep(600_000);
if (mode === "overrun") {
  await new Promise((resolve) => {
    const keepAlive = setInterval(() => undefined, 60_000);
    stack.overrun.addEventListener("abort", () => {
      clearInterval(keepAlive);
      resolve(undefined);
    });
  });
  say("overrun");
  await sleep(600_000);
}
const snapshot = await stack.perform(
  {
    step: { kind: "command", argv: unmount, timeoutMs: 10_000 },
    description: "a mount",
  },
  () =>
    services.runner.run({
      argv: shell(`sleep ${pauseMs / 1000}; mount --bind '${work}/data' '${mountPoint}'`),
      signal,
    }),
);
say("mounted");
await sleep(2 * pauseMs);
await leaveMaintenance(stack, window);
say("left");
await sleep(pauseMs);
await stack.undo(snapshot);
say("released");
