import { stat } from "node:fs/promises";
import type { Finding } from "@comeback/core";
import { failed, passed, warning } from "./findings.ts";
import type { CheckWish } from "./plan-parts.ts";

/** Before this program was written, and long after it: no clock that is right says so. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
const LATEST_MS = Date.UTC(2126, 0, 1);
const GROUP_AND_OTHERS_MAY_WRITE = 0o022;

/** The configuration's own files, the clock and the time zone. */
export async function checkHost({ context, loaded }: CheckWish): Promise<Finding[]> {
  const files = await Promise.all(loaded.files.map(checkFile));
  return [...files, checkClock(context.clock.now(), loaded.configuration.timezone)];
}

/** Whoever can change it can have commands run as whoever runs Comeback. */
async function checkFile(path: string): Promise<Finding> {
  const { mode, uid, gid } = await stat(path);
  const mayWrite = uid === 0 && gid === 0 ? 0o002 : GROUP_AND_OTHERS_MAY_WRITE;
  if ((mode & mayWrite) === 0) return passed(path, "is read, and all of it is understood");
  const message = "others can change it, and with it what is run in your name";
  return warning(path, message, `run: chmod go-w ${path}`);
}

function checkClock(nowMs: number, timezone: string | undefined): Finding {
  const zone = timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const shown = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "short",
    timeZone: zone,
  }).format(nowMs);
  if (nowMs > EARLIEST_MS && nowMs < LATEST_MS) return passed("clock", `it is ${shown} in ${zone}`);
  const message = `it is ${shown} in ${zone}, which cannot be: retention would go wrong`;
  return failed("clock", message, "set the clock, and let NTP keep it");
}
