import type { NodeType, Source, SourceEntry, SourceSession } from "@comeback/core";
import {
  AT_FDCWD,
  close,
  O_DIRECTORY,
  O_RDONLY,
  openAt,
  readDirectoryNames,
  readLinkAt,
  statAt,
} from "@comeback/platform";

const TYPES: Readonly<Record<number, NodeType>> = {
  0o100000: "file",
  0o040000: "dir",
  0o120000: "symlink",
};

function listFolder(path: string): SourceEntry[] {
  const fd = openAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  try {
    return readDirectoryNames(fd)
      .sort()
      .map((name) => entryOf(fd, path, name));
  } finally {
    close(fd);
  }
}

function entryOf(fd: number, folder: string, name: string): SourceEntry {
  const status = statAt(fd, name);
  const type = TYPES[status.mode & 0o170000] as NodeType;
  const path = `${folder}/${name}`;
  return {
    name,
    path,
    metadata: {
      ...status,
      type,
      user: "",
      group: "",
      ...(type === "symlink" ? { linkTarget: readLinkAt(fd, name) } : {}),
    },
    ...(type === "file" ? { content: { kind: "path", path } } : {}),
    ...(type === "dir" ? { directory: path } : {}),
  };
}

/** The plainest source there can be: what is in one folder. `onList` may change it on the way. */
export function folderSource(folder: string, onList?: (path: string) => void): Source {
  const list = (path: string): SourceEntry[] => {
    const entries = listFolder(path);
    onList?.(path);
    return entries;
  };
  return {
    paths: [folder],
    excludes: [],
    async open(): Promise<SourceSession> {
      return {
        root: () => list(folder),
        list: (directory) => list(directory.path),
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

/** A source of one file that comes in pieces. */
export function streamSource(pieces: () => AsyncIterable<Uint8Array>): Source {
  const instant = { seconds: 1_700_000_000, nanoseconds: 5 };
  const entry: SourceEntry = {
    name: "stdin",
    path: "/stdin",
    content: { kind: "stream", open: pieces },
    metadata: {
      type: "file",
      mode: 0o100644,
      mtime: instant,
      atime: instant,
      ctime: instant,
      uid: 0,
      gid: 0,
      user: "",
      group: "",
      inode: 0,
      deviceId: 0,
      sizeBytes: 0,
      links: 1,
    },
  };
  return {
    paths: ["/stdin"],
    excludes: [],
    async open() {
      return { root: () => [entry], list: () => [], async [Symbol.asyncDispose]() {} };
    },
  };
}
