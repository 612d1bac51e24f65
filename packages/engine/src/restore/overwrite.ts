import type { Instant } from "@comeback/core";
import type { FileStatus } from "@comeback/platform";
import type { OverwriteMode } from "./restore-options.ts";

/** Negative where `a` is earlier, 0 where both are the same. */
export function compareInstants(a: Instant, b: Instant): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}

/** Whether the mode wants an existing entry left alone, whatever it is (restic `shouldOverwrite`). */
export function isProtected(mode: OverwriteMode, stored: Instant, found: FileStatus): boolean {
  if (mode === "never") return true;
  return mode === "if-newer" && compareInstants(stored, found.mtime) <= 0;
}
