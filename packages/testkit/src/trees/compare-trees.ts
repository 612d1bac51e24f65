import { byteStringFromText, displayText } from "@comeback/core";
import type { ByteString } from "@comeback/core";
import {
  AT_FDCWD,
  close,
  decodeDevice,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  readDirectoryNames,
  readLinkAt,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  statAt,
  type FileStatus,
} from "@comeback/platform";
import { firstDifferentByte } from "./compare-contents.ts";
import { compareXattrs } from "./compare-xattrs.ts";
import type { Place } from "./place.ts";

export type DifferenceKind =
  | "missing"
  | "extra"
  | "type"
  | "mode"
  | "uid"
  | "gid"
  | "mtime"
  | "atime"
  | "size"
  | "content"
  | "target"
  | "device"
  | "xattr"
  | "hard-links"
  | "blocks";

/** One way in which the second tree is not the first. */
export interface Difference {
  /** Below the top; "" for the top itself. */
  readonly path: ByteString;
  readonly kind: DifferenceKind;
  readonly first: string;
  readonly second: string;
}

export interface CompareOptions {
  /** Compare the attributes of the two tops as well; default true. */
  readonly tops?: boolean;
  /** Compare times of last access too; default false, since reading changes them. */
  readonly atime?: boolean;
  /** Report files of the second tree that take more blocks than in the first; default false. */
  readonly sparse?: boolean;
  /** Kinds of difference that do not matter. */
  readonly ignore?: readonly DifferenceKind[];
  /** Attributes that do not matter, such as `security.selinux`. */
  ignoreXattr?(name: ByteString): boolean;
}

/** Every difference between two trees: names, bytes and attributes. None: they are the same. */
export function compareTrees(
  first: string,
  second: string,
  options: CompareOptions = {},
): Difference[] {
  const comparison = new Comparison(options);
  const [a, b] = [byteStringFromText(first), byteStringFromText(second)];
  comparison.entries({ dirFd: AT_FDCWD, name: a }, { dirFd: AT_FDCWD, name: b }, "");
  comparison.hardLinks();
  return comparison.differences;
}

/** For messages: one line a difference. */
export function describeDifferences(differences: readonly Difference[]): string {
  const lines = differences.map(({ path, kind, first, second }) => {
    const name = path === "" ? "(top)" : JSON.stringify(displayText(path));
    return `${name}: ${kind}: ${first} → ${second}`;
  });
  return lines.join("\n");
}

class Comparison {
  readonly differences: Difference[] = [];
  readonly #options: CompareOptions;
  /** Paths by inode, of everything that has several names. */
  readonly #links: readonly [Map<string, ByteString[]>, Map<string, ByteString[]>] = [
    new Map(),
    new Map(),
  ];

  constructor(options: CompareOptions) {
    this.#options = options;
  }

  entries(a: Place, b: Place, path: ByteString): void {
    const [first, second] = [statAt(a.dirFd, a.name), statAt(b.dirFd, b.name)];
    const type = first.mode & S_IFMT;
    if (type !== (second.mode & S_IFMT)) {
      this.#note(path, "type", typeName(first), typeName(second));
      return;
    }
    if (path !== "" || this.#options.tops !== false) this.#attributes(first, second, a, b, path);
    this.#noteLinks(0, first, path);
    this.#noteLinks(1, second, path);
    if (type === S_IFDIR) this.#directories(a, b, path);
    else if (type === S_IFREG) this.#files(first, second, a, b, path);
    else if (type === S_IFLNK) {
      const [target, other] = [readLinkAt(a.dirFd, a.name), readLinkAt(b.dirFd, b.name)];
      this.#compare(path, "target", target, other);
    } else if (type === S_IFBLK || type === S_IFCHR) {
      this.#compare(path, "device", deviceText(first), deviceText(second));
    }
  }

  /** Which names belong together must be the same, as far as both trees have them. */
  hardLinks(): void {
    const [first, second] = this.#links.map((groups) => {
      const groupOf = new Map<ByteString, string>();
      for (const paths of groups.values()) {
        if (paths.length < 2) continue;
        const text = paths.sort().map(displayText).join(" = ");
        for (const path of paths) groupOf.set(path, text);
      }
      return groupOf;
    });
    const paths = new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])]);
    for (const path of [...paths].sort()) {
      const [a, b] = [first?.get(path) ?? "alone", second?.get(path) ?? "alone"];
      this.#compare(path, "hard-links", a, b);
    }
  }

  #attributes(a: FileStatus, b: FileStatus, inA: Place, inB: Place, path: ByteString): void {
    this.#compare(path, "mode", octal(a), octal(b));
    this.#compare(path, "uid", String(a.uid), String(b.uid));
    this.#compare(path, "gid", String(a.gid), String(b.gid));
    this.#compare(path, "mtime", timeText(a.mtime), timeText(b.mtime));
    if (this.#options.atime === true) {
      this.#compare(path, "atime", timeText(a.atime), timeText(b.atime));
    }
    for (const { name, first, second } of compareXattrs(inA, inB)) {
      if (this.#options.ignoreXattr?.(name) !== true) {
        const label = `${displayText(name)}=`;
        this.#note(path, "xattr", label + first, label + second);
      }
    }
  }

  #files(a: FileStatus, b: FileStatus, inA: Place, inB: Place, path: ByteString): void {
    if (a.sizeBytes !== b.sizeBytes) {
      this.#note(path, "size", String(a.sizeBytes), String(b.sizeBytes));
    }
    const different = firstDifferentByte(inA, inB);
    if (different !== undefined) {
      const { offset, first, second } = different;
      this.#note(path, "content", `${first} at byte ${offset}`, `${second} at byte ${offset}`);
    }
    // A file system needs a few blocks more or less for the same holes.
    const slackBlocks = 128;
    if (this.#options.sparse === true && b.blocks512 > a.blocks512 + slackBlocks) {
      this.#note(path, "blocks", String(a.blocks512), String(b.blocks512));
    }
  }

  #directories(a: Place, b: Place, path: ByteString): void {
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    const first = openAt(a.dirFd, a.name, flags);
    const second = openAt(b.dirFd, b.name, flags);
    try {
      const others = new Set(readDirectoryNames(second));
      for (const name of readDirectoryNames(first).sort()) {
        const below = path === "" ? name : `${path}/${name}`;
        if (!others.delete(name)) {
          this.#note(below, "missing", typeName(statAt(first, name)), "not there");
          continue;
        }
        this.entries({ dirFd: first, name }, { dirFd: second, name }, below);
      }
      for (const name of [...others].sort()) {
        const below = path === "" ? name : `${path}/${name}`;
        this.#note(below, "extra", "not there", typeName(statAt(second, name)));
      }
    } finally {
      close(first);
      close(second);
    }
  }

  #noteLinks(tree: 0 | 1, status: FileStatus, path: ByteString): void {
    if (status.links < 2 || (status.mode & S_IFMT) === S_IFDIR) return;
    const key = `${status.deviceId}:${status.inode}`;
    const paths = this.#links[tree].get(key);
    if (paths === undefined) this.#links[tree].set(key, [path]);
    else paths.push(path);
  }

  #compare(path: ByteString, kind: DifferenceKind, first: string, second: string): void {
    if (first !== second) this.#note(path, kind, first, second);
  }

  #note(path: ByteString, kind: DifferenceKind, first: string, second: string): void {
    if (this.#options.ignore?.includes(kind) === true) return;
    this.differences.push({ path, kind, first, second });
  }
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  0o140000: "socket",
  0o120000: "symlink",
  0o100000: "file",
  0o060000: "block device",
  0o040000: "folder",
  0o020000: "character device",
  0o010000: "fifo",
};

function typeName(status: FileStatus): string {
  return TYPE_NAMES[status.mode & S_IFMT] ?? "unknown";
}

function octal(status: FileStatus): string {
  return (status.mode & 0o7777).toString(8).padStart(4, "0");
}

function timeText(time: { seconds: number; nanoseconds: number }): string {
  return `${time.seconds}.${String(time.nanoseconds).padStart(9, "0")}`;
}

function deviceText(status: FileStatus): string {
  const { major, minor } = decodeDevice(status.device);
  return `${major}:${minor}`;
}
