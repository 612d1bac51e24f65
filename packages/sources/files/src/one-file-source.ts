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
  type SourceSession,
} from "@comeback/core";
import { S_IFDIR, S_IFREG } from "@comeback/platform";

export type OneFileOptions = {
  /** Where the file lies in the snapshot; folders may be part of it. */
  readonly filename: ByteString;
  /** The time of the backup: the file has none of its own. */
  readonly time: Instant;
  readonly content: EntryContent;
};

/** A source of one file whose content is a stream. */
export function oneFileSource(options: OneFileOptions): Source {
  const path = cleanPath(`/${options.filename}`);
  if (path === "/") {
    throw new ComebackError("option.invalid", "--stdin-filename: not the name of a file", {
      why: `"${displayText(options.filename)}" names the top of the snapshot`,
    });
  }
  return {
    paths: [displayText(path)],
    excludes: [],
    async open(): Promise<SourceSession> {
      return new OneFileSession(path, options);
    },
  };
}

class OneFileSession implements SourceSession {
  readonly #path: ByteString;
  readonly #options: OneFileOptions;

  constructor(path: ByteString, options: OneFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  root(): SourceEntry[] {
    return this.#below("");
  }

  list(directory: SourceEntry): SourceEntry[] {
    return this.#below(directory.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The stream belongs to whoever opened it.
  }

  /** The one entry of a folder on the way to the file. */
  #below(folder: ByteString): SourceEntry[] {
    const { content } = this.#options;
    const end = this.#path.indexOf("/", folder.length + 1);
    const path = end < 0 ? this.#path : this.#path.slice(0, end);
    const name = path.slice(folder.length + 1);
    if (end >= 0) return [{ name, path, metadata: this.#metadata("dir"), directory: true }];
    return [{ name, path, metadata: this.#metadata("file"), content }];
  }

  /** What restic writes for standard input (`internal/fs/fs_reader.go`). */
  #metadata(type: "file" | "dir"): EntryMetadata {
    const { time } = this.#options;
    return {
      type,
      mode: type === "dir" ? S_IFDIR | 0o755 : S_IFREG | 0o644,
      mtime: time,
      atime: time,
      ctime: time,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      user: "",
      group: "",
      inode: 0,
      deviceId: 0,
      sizeBytes: 0,
      links: 0,
    };
  }
}
