import {
  type ByteString,
  cleanPath,
  ComebackError,
  displayText,
  type EntryContent,
  type EntryMetadata,
  type Instant,
  type Source,
  type SourceEntry,
  type SourceOpenOptions,
  type SourceSession,
} from "@comeback/core";
import { S_IFDIR, S_IFREG } from "@comeback/platform";

type StreamContent = Extract<EntryContent, { readonly kind: "stream" }>;

/** One file of a virtual tree. */
export interface StreamFile {
  /** Where it lies in the snapshot: absolute, or below the top. */
  readonly path: ByteString;
  /** Its time of change; the source's time if not given. */
  readonly time?: Instant;
  /** As far as it is known before it is read. */
  readonly sizeBytes?: number;
  /** Gives the content when the engine reads it; with what the session reports problems to. */
  content(open: SourceOpenOptions): StreamContent;
}

export interface StreamsSourceOptions {
  readonly files: readonly StreamFile[];
  /** What the snapshot's `paths` says. The files' own paths if not given. */
  readonly paths?: readonly string[];
  /** The time of files that have none of their own, and of folders. */
  readonly time: Instant;
  /** The permission bits of files and folders; 0644 and 0755 if not given. */
  readonly permissions?: { readonly file: number; readonly folder: number };
}

/**
 * The time of what has none: with it, content that has not changed leaves the tree as it was, where
 * the time of each backup would make every tree a new one.
 */
export const NO_TIME: Instant = { seconds: 315_532_800, nanoseconds: 0 };

/**
 * A tree of files whose contents are streams: what programs print, what is computed. The engine
 * reads them one after the other, in the order of the tree.
 *
 * Throws `configuration.invalid` where two files want one place.
 */
export function streamsSource(options: StreamsSourceOptions): Source {
  const top = layOut(options.files);
  const paths = options.paths ?? options.files.map(({ path }) => displayText(placeOf(path)));
  return {
    paths,
    excludes: [],
    async open(open: SourceOpenOptions): Promise<SourceSession> {
      return new StreamsSession(top, options, open);
    },
  };
}

/** Content that is there already. */
export function bytesContent(bytes: Uint8Array): StreamContent {
  return {
    kind: "stream",
    async *open() {
      yield bytes;
    },
  };
}

type Folder = Map<ByteString, Folder | StreamFile>;

/** The clean absolute path of a file in the snapshot. */
export function placeOf(path: ByteString): ByteString {
  return cleanPath(`/${path}`);
}

function layOut(files: readonly StreamFile[]): Folder {
  const top: Folder = new Map();
  for (const file of files) {
    const place = placeOf(file.path);
    const names = place.slice(1).split("/");
    const last = names.pop() ?? "";
    if (last === "") throw badPlace(place, "it is the top of the snapshot");
    let folder = top;
    for (const name of names) {
      const inner = folder.get(name) ?? new Map();
      if (!(inner instanceof Map)) throw badPlace(place, "a folder above it is a file as well");
      folder.set(name, inner);
      folder = inner;
    }
    if (folder.has(last)) throw badPlace(place, "something else has the same place");
    folder.set(last, file);
  }
  return top;
}

function badPlace(place: ByteString, why: string): ComebackError {
  return new ComebackError("configuration.invalid", `no file can be at ${displayText(place)}`, {
    why,
    next: "give each file a name of its own",
  });
}

class StreamsSession implements SourceSession {
  readonly #top: Folder;
  readonly #options: StreamsSourceOptions;
  readonly #open: SourceOpenOptions;

  constructor(top: Folder, options: StreamsSourceOptions, open: SourceOpenOptions) {
    this.#top = top;
    this.#options = options;
    this.#open = open;
  }

  root(): SourceEntry[] {
    return this.#entries(this.#top, "");
  }

  list(directory: SourceEntry): SourceEntry[] {
    if (!(directory.directory instanceof Map)) throw new TypeError("not a folder of this source");
    return this.#entries(directory.directory as Folder, directory.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Streams end with whoever reads them.
  }

  #entries(folder: Folder, above: ByteString): SourceEntry[] {
    return [...folder.keys()].sort().map((name) => {
      const inner = folder.get(name)!;
      const path = `${above}/${name}`;
      if (inner instanceof Map) {
        return { name, path, metadata: this.#metadata("dir"), directory: inner };
      }
      const metadata = this.#metadata("file", inner);
      return { name, path, metadata, content: inner.content(this.#open) };
    });
  }

  /** What restic writes for standard input (`internal/fs/fs_reader.go`). */
  #metadata(type: "file" | "dir", file?: StreamFile): EntryMetadata {
    const { permissions = { file: 0o644, folder: 0o755 } } = this.#options;
    const time = file?.time ?? this.#options.time;
    return {
      type,
      mode: type === "dir" ? S_IFDIR | permissions.folder : S_IFREG | permissions.file,
      mtime: time,
      atime: time,
      ctime: time,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      user: "",
      group: "",
      inode: 0,
      deviceId: 0,
      sizeBytes: file?.sizeBytes ?? 0,
      links: 0,
    };
  }
}
