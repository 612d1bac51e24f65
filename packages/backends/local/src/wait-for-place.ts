import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  COMMAND_STOP_MS,
  ComebackError,
  messageOf,
  MOUNT_COMMAND_OUTPUT_MAX_BYTES,
  MOUNT_POLL_MS,
} from "@comeback/core";
import type { Clock, OpenBackendOptions } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { whatIsMissing } from "./required-place.ts";
import type { RequiredPlace } from "./required-place.ts";

/**
 * Resolves once all holds that has to. Where it does not, the mount command is run, and it is looked
 * again until the time is over; then it fails with `backend.not-mounted`. Nothing is written.
 */
export async function waitForPlace(
  root: string,
  required: RequiredPlace,
  options: OpenBackendOptions,
): Promise<void> {
  const { clock = systemClock, signal } = options;
  signal?.throwIfAborted();
  let missing = await whatIsMissing(root, required);
  if (missing === undefined) return;
  const endMs = clock.now() + required.waitMs;
  let failed: string | undefined;
  if (required.command !== undefined) {
    failed = await runMountCommand(required.command, {
      ...options,
      clock,
      waitMs: required.waitMs,
    });
    missing = await whatIsMissing(root, required);
  }
  while (missing !== undefined && clock.now() < endMs) {
    await clock.sleep(Math.min(MOUNT_POLL_MS, Math.max(endMs - clock.now(), 1)), signal);
    missing = await whatIsMissing(root, required);
  }
  if (missing === undefined) return;
  throw new ComebackError("backend.not-mounted", `the place for ${root} is not mounted`, {
    why: failed === undefined ? missing : `${missing}; ${failed}`,
    next:
      required.command === undefined
        ? "mount the disk or share, then repeat the command; nothing was written"
        : "try the mount command by hand, then repeat the command; nothing was written",
    retryable: true,
  });
}

interface CommandOptions extends OpenBackendOptions {
  readonly clock: Clock;
  readonly waitMs: number;
}

/** Says how the command failed, if it did. Only its program is named: its arguments may be secret. */
async function runMountCommand(
  command: readonly string[],
  { clock, env, signal, waitMs }: CommandOptions,
): Promise<string | undefined> {
  const [program = "", ...args] = command;
  // A program that goes on in the background keeps the pipe: its end is not waited for.
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    ...(env === undefined ? {} : { env: { ...env } }),
  });
  const said = lastWords(child);
  const timer = new AbortController();
  const over = signal === undefined ? timer.signal : AbortSignal.any([signal, timer.signal]);
  try {
    const outcome = await Promise.race([
      endOf(child, program),
      clock.sleep(waitMs, over).then(() => `${program} did not end in time`),
    ]);
    return outcome === undefined ? undefined : outcome + said();
  } finally {
    timer.abort();
    child.stderr?.destroy();
    stop(child);
  }
}

function endOf(child: ChildProcess, program: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`cannot run ${program}: ${messageOf(error)}`));
    child.once("exit", (code, killedBy) => {
      const how = killedBy === null ? `exit code ${String(code)}` : `killed by ${killedBy}`;
      resolve(code === 0 ? undefined : `${program} failed (${how})`);
    });
  });
}

/** The last line that it wrote to its standard error. */
function lastWords(child: ChildProcess): () => string {
  let kept = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    kept = (kept + text).slice(-MOUNT_COMMAND_OUTPUT_MAX_BYTES);
  });
  return () => {
    const line =
      kept
        .trim()
        .split("\n")
        .at(-1)
        ?.replaceAll(/\p{Cc}/gu, "") ?? "";
    return line === "" ? "" : `: ${line}`;
  };
}

function stop(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  // One that hangs in the kernel is not waited for.
  setTimeout(() => child.kill("SIGKILL"), COMMAND_STOP_MS).unref();
  child.unref();
}
