import type { Finding } from "./finding.ts";

/** What can be written to a journal and read back: another process may have to undo with it. */
export type JournalValue =
  | string
  | number
  | boolean
  | null
  | readonly JournalValue[]
  | { readonly [key: string]: JournalValue };

export interface SnapshotRequest {
  /** Absolute paths that the snapshot must show as they are at one moment. */
  readonly paths: readonly string[];
  /** Made part of the names of what is created, so that leftovers tell whose they are. */
  readonly runId: string;
}

/** What is about to be created. Enough to remove it, also where it never came to be. */
export interface PlannedSnapshot {
  /** For people: "LVM snapshot vg0/bk-20261128". */
  readonly description: string;
  /** For `create` and `remove`. Holds no secret. */
  readonly token: JournalValue;
}

/** Where the frozen state can be read. */
export interface SnapshotView {
  /** The path that shows, frozen, what is at `path` of the request or below it. */
  pathOf(path: string): string;
}

/**
 * Freezes the state of paths for as long as a backup reads them.
 *
 * - `plan` touches nothing. Its token is written to a journal before `create` is called, so that
 *   whatever `create` leaves can be removed by another process, after a crash or a reboot.
 * - `create` returns once the frozen state is readable: everything up to its return, or nothing. All
 *   paths show the same moment where the technology can do that; where it cannot, `plan` says so in
 *   its description. It cleans up after itself where it fails, but nobody relies on that.
 * - `remove` is idempotent: a token whose snapshot was never created, or is gone, is a success. It
 *   retries what is only busy, and rejects where something is left over.
 * - `verify` is called after the last byte was read and rejects where the view did not stay whole
 *   meanwhile (a snapshot that overflowed): what was captured is then worth nothing.
 */
export interface Snapshotter {
  readonly kind: string;
  /** Whether it could be done now, and what stands in the way. */
  probe(options: {
    readonly paths: readonly string[];
    readonly signal: AbortSignal;
  }): Promise<Finding[]>;
  plan(request: SnapshotRequest, signal: AbortSignal): Promise<PlannedSnapshot>;
  create(planned: PlannedSnapshot, signal: AbortSignal): Promise<SnapshotView>;
  verify(planned: PlannedSnapshot, signal: AbortSignal): Promise<void>;
  remove(token: JournalValue, signal: AbortSignal): Promise<void>;
}
