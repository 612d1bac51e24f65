import {
  type BackupType,
  formatBytes,
  formatCount,
  type RunOutcome,
  type SourceItem,
  SURGE_MIN_BYTES,
} from "@comeback/core";
import type { Expectation } from "../configuration/schema/source.ts";

/** What one capture of a source came to, as far as it is compared. */
export interface CapturedAmount {
  readonly atMs: number;
  readonly backupType: BackupType;
  readonly files: number;
  readonly sizeBytes: number;
  readonly addedBytes: number;
  readonly items: readonly SourceItem[];
}

/** Something that differs from before by more than is expected. */
export interface Deviation {
  readonly kind: "vanished" | "shrink" | "surge" | "stale";
  readonly reaction: "fail" | "warn";
  readonly message: string;
}

/** The usual amount of new data is known once there are so many captures to tell it from. */
const USUAL_MIN_CAPTURES = 3;

/** A capture of an earlier run; `ok` where it was complete, or accepted as it was. */
export interface PastCapture extends CapturedAmount {
  readonly outcome: RunOutcome;
}

/** What a capture is measured against. */
export interface History {
  /** Newest first; the first of them is the baseline. [] where there is none. */
  readonly before: readonly PastCapture[];
  /** Far more new data than ever, at some time after the baseline, and nobody has accepted it. */
  readonly surge: PastCapture | undefined;
}

/**
 * Reads the baseline out of earlier captures, newest first: the newest that was complete or accepted,
 * or that differed in nothing from the baseline before it. A file that can never be read makes every
 * capture a warning; without the second rule there would then be nothing to miss a database by.
 */
export function historyOf(captures: readonly PastCapture[], expect: Expectation): History {
  const good = captures.filter(({ outcome }) => outcome !== "failed");
  let baseline = good.length;
  let surge: PastCapture | undefined;
  for (const [place, capture] of [...good.entries()].toReversed()) {
    if (capture.outcome === "ok") {
      [baseline, surge] = [place, undefined];
      continue;
    }
    if (surge !== undefined) continue;
    const deviations = compareWithHistory(capture, good.slice(baseline), expect);
    if (deviations.length === 0) baseline = place;
    else if (deviations.some(({ kind }) => kind === "surge")) surge = capture;
  }
  return { before: good.slice(baseline), surge };
}

/**
 * How a capture differs from what was before. What was far more than ever stays so until somebody
 * says that it is right: the run after an encryption has little that is new.
 */
export function deviationsFrom(
  now: CapturedAmount,
  { before, surge }: History,
  expect: Expectation,
): Deviation[] {
  const found = compareWithHistory(now, before, expect);
  const { reaction } = expect.surge;
  const isNew = found.some(({ kind }) => kind === "surge");
  if (surge === undefined || isNew || reaction === "ignore") return found;
  const when = new Date(surge.atMs).toISOString().slice(0, 10);
  const message = `on ${when} there was far more new data than ever, and nobody has accepted it`;
  return [...found, { kind: "surge", reaction, message }];
}

/**
 * Compares a capture with those before it, newest first. The first of them is the baseline: the
 * newest one that was complete, or that somebody accepted as it was. Otherwise what vanished would be
 * told once and then be the new normal.
 */
export function compareWithHistory(
  now: CapturedAmount,
  before: readonly CapturedAmount[],
  expect: Expectation,
): Deviation[] {
  const [baseline] = before;
  if (baseline === undefined) return [];
  return [
    ...vanished(now, baseline, expect),
    ...shrunk(now, baseline, expect),
    ...surged(now, before, expect),
    ...stale(now, before, expect),
  ];
}

function vanished(now: CapturedAmount, baseline: CapturedAmount, expect: Expectation): Deviation[] {
  const { vanished: reaction } = expect;
  if (reaction === "ignore") return [];
  const present = new Set(now.items.map(keyOf));
  return baseline.items
    .filter((item) => !present.has(keyOf(item)))
    .map(({ kind, name }) => ({
      kind: "vanished",
      reaction,
      message: `${kind} ${name} is not there any more`,
    }));
}

function keyOf({ kind, name }: SourceItem): string {
  return `${kind}\0${name}`;
}

function shrunk(now: CapturedAmount, baseline: CapturedAmount, expect: Expectation): Deviation[] {
  const { share, reaction } = expect.shrink;
  if (reaction === "ignore") return [];
  const counts = [
    { was: baseline.files, is: now.files, text: (count: number) => `${formatCount(count)} files` },
    { was: baseline.sizeBytes, is: now.sizeBytes, text: formatBytes },
  ];
  return counts
    .filter(({ was, is }) => is < was && was - is > share * was)
    .map(({ was, is, text }) => ({
      kind: "shrink",
      reaction,
      message: `only ${text(is)}, where there were ${text(was)}: ${percentOf(was - is, was)} less`,
    }));
}

/** Far more new data than ever: someone may be encrypting it. A first or full look proves nothing. */
function surged(
  now: CapturedAmount,
  before: readonly CapturedAmount[],
  expect: Expectation,
): Deviation[] {
  const { factor, reaction } = expect.surge;
  if (reaction === "ignore" || before.length < USUAL_MIN_CAPTURES) return [];
  const most = Math.max(...before.slice(0, -1).map(({ addedBytes }) => addedBytes));
  const limit = Math.max(factor * most, SURGE_MIN_BYTES);
  if (now.addedBytes <= limit) return [];
  const often = most === 0 ? "" : ` (${(now.addedBytes / most).toFixed(1)} times the most before)`;
  const message = `${formatBytes(now.addedBytes)} of new data, far more than ever${often}`;
  return [{ kind: "surge", reaction, message }];
}

function stale(
  now: CapturedAmount,
  before: readonly CapturedAmount[],
  expect: Expectation,
): Deviation[] {
  const { after, reaction } = expect.stale;
  if (reaction === "ignore" || after === undefined || now.addedBytes > 0) return [];
  const lastChange = before.find(({ addedBytes }) => addedBytes > 0) ?? before.at(-1);
  const quietMs = now.atMs - (lastChange?.atMs ?? now.atMs);
  if (quietMs <= after) return [];
  const days = (quietMs / (24 * 3600 * 1000)).toFixed(1);
  return [{ kind: "stale", reaction, message: `nothing has changed for ${days} days` }];
}

function percentOf(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}
