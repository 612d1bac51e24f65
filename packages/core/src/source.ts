import type { ByteString } from "./byte-string.ts";
import type { EntryMetadata } from "./node.ts";

/** Where the bytes of a file entry come from. */
export type EntryContent =
  /** A path that a worker thread opens and reads by itself. */
  | { readonly kind: "path"; readonly path: ByteString }
  /** A stream that is read once (standard input, a command's output). */
  | {
      readonly kind: "stream";
      /**
       * The entry's metadata tells whether the content is as it was, as a file's does: it is not read
       * where they agree with the parent snapshot. Default: it is read every time.
       */
      readonly comparable?: boolean;
      /**
       * Where it rejects, only its own file is left out, as a problem; whatever else the source has
       * is saved. Default: it ends the backup.
       */
      readonly isolated?: boolean;
      /**
       * The first so many bytes differ each time, whatever follows: they become a chunk of their
       * own, so that what follows is known from before. Default: 0, no such chunk.
       */
      readonly headerBytes?: number;
      open(signal: AbortSignal): AsyncIterable<Uint8Array>;
    };

/** One entry of a source's tree. */
export interface SourceEntry {
  /** One path component, raw bytes, never "", ".", ".." and without "/" or NUL. */
  readonly name: ByteString;
  /** For messages and for `list`: where it is, raw bytes. */
  readonly path: ByteString;
  readonly metadata: EntryMetadata;
  /** For files only. */
  readonly content?: EntryContent;
  /**
   * For directories only: an opaque value that `SourceSession.list` understands.
   */
  readonly directory?: unknown;
}

/** Something that could not be read or that changed under the reader. Never fatal by itself. */
export interface SourceProblem {
  readonly path: ByteString;
  /** What was tried: "list", "stat", "read", "xattr". */
  readonly during: "list" | "stat" | "open" | "read" | "readlink" | "xattr" | "exclude";
  readonly message: string;
}

/**
 * One walk over a source.
 *
 * - `list` gives a directory's entries in ascending order of their raw name bytes, without
 *   duplicates, excluded ones left out. It may be called for any directory entry it handed out
 *   before, once, in any order.
 * - What cannot be read is reported through `onProblem`, and left out; the walk goes on. Only a
 *   failure of the whole source (it vanished) rejects.
 * - Disposing releases everything the session holds (descriptors, freezes), also after an error.
 */
export interface SourceSession extends AsyncDisposable {
  /** The entries at the top of the snapshot's tree. */
  root(): SourceEntry[] | Promise<SourceEntry[]>;
  list(directory: SourceEntry): SourceEntry[] | Promise<SourceEntry[]>;
}

/** One thing to protect. */
export interface Source {
  /** What the snapshot's `paths` says: absolute, in the order given, as text. */
  readonly paths: readonly string[];
  /** The exclude patterns, for the snapshot's `excludes`. */
  readonly excludes: readonly string[];
  open(options: SourceOpenOptions): Promise<SourceSession>;
}

export interface SourceOpenOptions {
  readonly signal: AbortSignal;
  onProblem(problem: SourceProblem): void;
}
