import { type BackupType, type SourceItem, SURGE_MIN_BYTES } from "@comeback/core";
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
    { what: "files", was: baseline.files, is: now.files },
    { what: "bytes", was: baseline.sizeBytes, is: now.sizeBytes },
  ];
  return counts
    .filter(({ was, is }) => is < was && was - is > share * was)
    .map(({ what, was, is }) => ({
      kind: "shrink",
      reaction,
      message: `only ${is} ${what}, where there were ${was}: ${percentOf(was - is, was)} less`,
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
  const message = `${now.addedBytes} bytes of new data, far more than ever${often}`;
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
