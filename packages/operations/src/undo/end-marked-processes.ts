import { readdir, readFile } from "node:fs/promises";
import { type Clock, ComebackError, UNDO_ORPHAN_ROUNDS_MAX } from "@comeback/core";
import { isProcessGone } from "@comeback/platform";
import { MARK_NAME } from "./marked-commands.ts";

const ROUND_PAUSE_MS = 20;

/**
 * Ends what is still at work for a step whose run is gone or out of time: it would go on to do what
 * is about to be undone. Resolves once none is left.
 */
export async function endMarkedProcesses(mark: string, clock: Clock): Promise<void> {
  for (let round = 0; round < UNDO_ORPHAN_ROUNDS_MAX; round++) {
    const found = await findMarked(mark);
    if (found.length === 0) return;
    for (const pid of found) kill(pid);
    await clock.sleep(ROUND_PAUSE_MS);
  }
  throw new ComebackError("undo.incomplete", "a program of the run is still at work", {
    why: "it could not be ended, and may do again what would be undone",
    next: `end it by hand: its environment holds ${MARK_NAME}=${mark}`,
  });
}

async function findMarked(mark: string): Promise<number[]> {
  const entry = `${MARK_NAME}=${mark}`;
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = await readFile(`/proc/${name}/environ`, "utf8");
      if (environment.split("\0").includes(entry) && !isProcessGone(pid)) found.push(pid);
    } catch {
      // It has ended, or is another user's, and then none of ours.
    }
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
