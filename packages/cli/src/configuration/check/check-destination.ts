import {
  type Finding,
  isComebackError,
  PLAN_CHECK_DESTINATION_TIMEOUT_MS,
  PRUNE_CLOCK_MARGIN_MS,
} from "@comeback/core";
import { listSnapshots } from "@comeback/engine";
import type { DestinationSettings } from "@comeback/operations";
import { freeBytesAt } from "../../opening/free-bytes.ts";
import { openSession, type Session } from "../../opening/session.ts";
import { formatBytes, formatLocalTime, formatMany } from "../../terminal/format-values.ts";
import { destinationContext } from "../destination-context.ts";
import { failed, failedBy, passed, unknown, warning } from "./findings.ts";
import type { CheckWish } from "./plan-parts.ts";

/** Whether a destination can be reached and opened, has room, and knows no time later than now. */
export async function checkDestination(wish: CheckWish, name: string): Promise<Finding[]> {
  const settings = wish.loaded.configuration.destinations[name]!;
  const { signal } = wish.context;
  const late = AbortSignal.timeout(PLAN_CHECK_DESTINATION_TIMEOUT_MS);
  const context = { ...wish.context, signal: AbortSignal.any([signal, late]) };
  try {
    const own = await destinationContext(context, wish.loaded, name);
    // Nothing is changed, and nobody is kept waiting.
    const globals = { ...own.globals, useLock: false, quiet: true };
    await using session = await openSession({ ...own, globals }, { lock: "none" });
    const opened = await checkOpened(session, name, wish);
    return [...opened, ...(await checkSpace(name, settings))];
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) {
      const seconds = PLAN_CHECK_DESTINATION_TIMEOUT_MS / 1000;
      return [failed(name, `it did not answer within ${seconds} seconds`, "check the connection")];
    }
    return [notOpened(name, settings, error)];
  }
}

function notOpened(name: string, settings: DestinationSettings, error: unknown): Finding {
  if (!isComebackError(error, "repository.none")) return failedBy(name, error);
  if (settings.replica !== undefined) {
    return warning(name, "nothing is there yet", "the first copy fills it");
  }
  const message = "can be reached, and there is no repository yet";
  return failed(name, message, `make it: comeback -r ${name} init`);
}

async function checkOpened(
  { repository, signal }: Session,
  name: string,
  { context }: CheckWish,
): Promise<Finding[]> {
  const snapshots = await listSnapshots(repository, {}, { signal });
  const newest = Math.max(...snapshots.map(({ time }) => Date.parse(time)));
  const count = formatMany(snapshots.length, "snapshot");
  const findings = [passed(name, `the password opens it: ${count}`)];
  if (newest > context.clock.now() + PRUNE_CLOCK_MARGIN_MS) {
    const shown = formatLocalTime(new Date(newest).toISOString());
    const message = `its newest snapshot is of ${shown}, which is later than now`;
    findings.push(
      warning(`${name}: clock`, message, "set the clock of whichever machine is wrong"),
    );
  }
  return findings;
}

async function checkSpace(name: string, settings: DestinationSettings): Promise<Finding[]> {
  const subject = `${name}: space`;
  const { freeSpace, repo } = settings;
  const freeBytes = await freeBytesAt(repo);
  if (freeBytes === undefined) {
    return freeSpace === undefined ? [] : [unknown(subject, "this storage does not tell")];
  }
  const free = `${formatBytes(freeBytes)} free`;
  if (freeSpace === undefined || freeBytes >= freeSpace) return [passed(subject, free)];
  const message = `${free}, less than the ${formatBytes(freeSpace)} of free-space`;
  return [warning(subject, message, "make room, or keep less")];
}
