import type { SnapshotFile } from "./snapshot.ts";

/**
 * A held snapshot is never forgotten. The mark is a tag, so that whoever uses restic sees it, and
 * `restic forget --keep-tag comeback:hold` honours it.
 */
export const HOLD_TAG = "comeback:hold";

export function isHeld({ tags = [] }: SnapshotFile): boolean {
  return tags.includes(HOLD_TAG);
}
