import { isUtf8 } from "node:buffer";
import type { Difference } from "@comeback/testkit";
import { RESTIC_014, type Tool } from "./tools.ts";

/** Beyond this second restic's restore computes with 64-bit nanoseconds that do not reach there. */
const LAST_SECOND = 9_223_372_036;

/** What a restic cannot restore, although our snapshot has it. */
export function beyondRestic(tool: Tool): (difference: Difference) => boolean {
  return (difference) => isFarTime(difference) || (tool === RESTIC_014 && isRawTarget(difference));
}

/** What restic 0.14 does not put into a snapshot. */
export function neverSaved(tool: Tool): (difference: Difference) => boolean {
  return (difference) => tool === RESTIC_014 && isRawTarget(difference);
}

/** A time after the year 2262 comes out as one of 1901. */
function isFarTime({ kind, first }: Difference): boolean {
  return kind === "mtime" && Number(first.split(".")[0]) > LAST_SECOND;
}

/** The target of a link in bytes that are no UTF-8: 0.16 was the first to keep them. */
function isRawTarget({ kind, first }: Difference): boolean {
  return kind === "target" && !isUtf8(Buffer.from(first, "latin1"));
}
