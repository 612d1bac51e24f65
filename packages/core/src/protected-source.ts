import type { Finding } from "./finding.ts";
import type { SnapshotView } from "./snapshotter.ts";
import type { Instant } from "./node.ts";
import type { Source } from "./source.ts";

/** One thing that a source holds and that must not vanish unnoticed: a database, a volume, a path. */
export interface SourceItem {
  /** "database", "path", "file", "command". */
  readonly kind: string;
  /** Stable from run to run. */
  readonly name: string;
  readonly sizeBytes?: number;
}

export interface PinOptions {
  /** The time that the snapshot will carry. */
  readonly time: Instant;
  /** Where the paths can be read frozen; not given: as they are. */
  readonly view?: SnapshotView | undefined;
  readonly signal: AbortSignal;
  /** Takes what programs say, line by line. */
  onLine(line: string): void;
}

/** A source whose moment is fixed. Disposing lets go of whatever holds it (a transaction). */
export interface PinnedSource extends AsyncDisposable {
  /** What the engine reads; once. */
  readonly source: Source;
  /** What it holds now, as far as that is known before it is read. */
  readonly items: readonly SourceItem[];
  /**
   * What only shows while it is read (a dump that failed for one of ten databases): items that are
   * missing from what was captured, complete once the source has been read.
   */
  missing(): readonly (SourceItem & { readonly reason: string })[];
  /**
   * True where file times, inodes and device numbers mean nothing from one run to the next (a
   * snapshot's mount): contents are then compared without inode and ctime.
   */
  readonly ignoresInodes?: boolean;
}

/**
 * One thing that a plan protects, as its configuration describes it. Making one touches nothing.
 *
 * - `probe` looks whether it could be captured now (programs, versions, permissions, that there is
 *   anything at all) and changes nothing.
 * - `pin` fixes the moment: where `pinsMoment`, all that is read later shows the state of that moment,
 *   however long it takes, and the service may go on as soon as `pin` returns. Otherwise it shows
 *   what is there when it is read, and whoever wants it consistent keeps the service still.
 * - What cannot be read is reported as the `Source` contract says; an item that is gone altogether is
 *   in `missing`, or makes `pin` or the read reject. Nothing is ever left out silently.
 */
export interface ProtectedSource {
  readonly kind: string;
  /** Absolute paths that a snapshotter must cover for it; [] where there is nothing to snapshot. */
  readonly paths: readonly string[];
  readonly pinsMoment: boolean;
  probe(options: { readonly signal: AbortSignal }): Promise<Finding[]>;
  pin(options: PinOptions): Promise<PinnedSource>;
}
