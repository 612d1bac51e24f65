import { ComebackError } from "@comeback/core";
import { SystemCallError } from "@comeback/platform";

/** Failures after which everything that comes next would fail as well. */
const HOPELESS: readonly string[] = ["ENOSPC", "EDQUOT", "EROFS"];

/** Turns a full or read-only disk into the error that ends the whole restore. */
export function throwIfHopeless(error: unknown): void {
  if (!(error instanceof SystemCallError) || !HOPELESS.includes(error.code)) return;
  const isReadOnly = error.code === "EROFS";
  throw new ComebackError(
    "restore.target",
    isReadOnly ? "the target is read-only" : "there is no space left in the target",
    {
      why: error.message,
      next: isReadOnly
        ? "mount it for writing, or restore to another place"
        : "make room there and run the same command again: it goes on from what is there",
      cause: error,
    },
  );
}
