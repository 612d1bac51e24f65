import { spawn } from "node:child_process";
import { once } from "node:events";
import { ComebackError, RCLONE_TIDY_MAX_MS } from "@comeback/core";
import type { OpenBackendOptions } from "@comeback/core";
import { startError } from "./rclone-errors.ts";
import { parseRcloneLocation } from "./rclone-location.ts";
import { RcloneMessages } from "./rclone-messages.ts";
import { rcloneEnvironment } from "./rclone-process.ts";
import { parseRcloneSettings } from "./rclone-settings.ts";

/** What rclone says where there is no such folder: on an object store, there never was one. */
const NO_FOLDER = /no such file or directory|directory not found/i;

/**
 * The protocol that rclone serves knows no folders, but rclone's own `rmdirs` removes the empty ones
 * from a path on, itself included, and leaves alone what has a file in it.
 */
export async function removeEmptyFolders(
  location: string,
  options: OpenBackendOptions = {},
): Promise<void> {
  const { remote, shown } = parseRcloneLocation(location);
  const { program, programArgs, commonArgs } = parseRcloneSettings(options.settings);
  const args = [...programArgs, "rmdirs", ...commonArgs, remote];
  const env = rcloneEnvironment(options.env ?? process.env);
  const signals = [AbortSignal.timeout(RCLONE_TIDY_MAX_MS), options.signal ?? []].flat();
  const messages = new RcloneMessages({ env, args });
  const child = spawn(program, args, {
    env,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    signal: AbortSignal.any(signals),
  });
  child.stderr.setEncoding("utf8").on("data", (piece: string) => messages.add(piece));
  try {
    await once(child, "close");
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw startError(program, cause);
  }
  if (child.exitCode === 0 || NO_FOLDER.test(messages.last ?? "")) return;
  throw new ComebackError("backend.io", `rclone did not remove the empty folders of ${shown}`, {
    why: messages.last ?? `it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`,
    next: "remove them with `rclone rmdirs`: nothing is in them",
  });
}
