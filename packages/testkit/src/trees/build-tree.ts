import { mkdirSync } from "node:fs";
import { byteStringFromText } from "@comeback/core";
import type { ByteString, Instant } from "@comeback/core";
import {
  AT_FDCWD,
  chmodAt,
  chownAt,
  close,
  encodeDevice,
  ftruncate,
  linkAt,
  mkdirAt,
  mknodAt,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  openAt,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  setXattr,
  symlinkAt,
  utimensAt,
  writeFrom,
} from "@comeback/platform";
import { ACCESS_ACL, DEFAULT_ACL, encodeAcl } from "./posix-acl.ts";
import type { DirectorySpec, EntrySpec, FileSpec, HardLinkSpec, TreeSpec } from "./tree-spec.ts";

/** A time that no double of seconds can hold exactly. */
const DEFAULT_TIME: Instant = { seconds: 1_704_164_645, nanoseconds: 123_456_789 };

const DEFAULT_MODES: Readonly<Record<EntrySpec["type"], number>> = {
  file: 0o644,
  dir: 0o755,
  symlink: 0,
  hardlink: 0,
  fifo: 0o600,
  socket: 0o600,
  dev: 0o660,
  chardev: 0o660,
};

/** Builds a real tree below `path`, which is made if it is missing. Names may be any bytes. */
export function buildTree(path: string, spec: TreeSpec): void {
  mkdirSync(path, { recursive: true });
  const top = openAt(AT_FDCWD, byteStringFromText(path), O_RDONLY | O_DIRECTORY);
  try {
    makeEntries(top, spec);
    linkEntries(top, top, spec);
    describeEntries(top, spec);
  } finally {
    close(top);
  }
}

function inFolder(dirFd: number, name: ByteString, act: (fd: number) => void): void {
  const fd = openAt(dirFd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    act(fd);
  } finally {
    close(fd);
  }
}

function entriesOf(spec: DirectorySpec): TreeSpec {
  return spec.entries ?? new Map();
}

function makeEntries(dirFd: number, tree: TreeSpec): void {
  for (const [name, spec] of tree) {
    switch (spec.type) {
      case "dir":
        mkdirAt(dirFd, name, 0o700);
        inFolder(dirFd, name, (fd) => makeEntries(fd, entriesOf(spec)));
        break;
      case "file":
        makeFile(dirFd, name, spec);
        break;
      case "symlink":
        symlinkAt(spec.target, dirFd, name);
        break;
      case "fifo":
        mknodAt(dirFd, name, S_IFIFO | 0o600, 0);
        break;
      case "socket":
        mknodAt(dirFd, name, S_IFSOCK | 0o600, 0);
        break;
      case "dev":
      case "chardev": {
        const kind = spec.type === "dev" ? S_IFBLK : S_IFCHR;
        mknodAt(dirFd, name, kind | 0o600, encodeDevice(spec.major, spec.minor));
        break;
      }
      case "hardlink":
        // Once all they may lead to is there.
        break;
    }
  }
}

function makeFile(dirFd: number, name: ByteString, spec: FileSpec): void {
  const fd = openAt(dirFd, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    const content = spec.content ?? "";
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
    let at = 0;
    for (const part of parts) {
      if (part instanceof Uint8Array) at += writeFrom(fd, part, 0, part.byteLength, at);
      else at += part.holeBytes;
    }
    ftruncate(fd, at);
  } finally {
    close(fd);
  }
}

function linkEntries(top: number, dirFd: number, tree: TreeSpec): void {
  for (const [name, spec] of tree) {
    if (spec.type === "hardlink") linkAt(top, spec.to, dirFd, name);
    if (spec.type === "dir") {
      inFolder(dirFd, name, (fd) => linkEntries(top, fd, entriesOf(spec)));
    }
  }
}

/** Attributes last, and those of a folder after its entries': each change touches its times. */
function describeEntries(dirFd: number, tree: TreeSpec): void {
  for (const [name, spec] of tree) {
    if (spec.type === "hardlink") continue;
    if (spec.type === "dir") inFolder(dirFd, name, (fd) => describeEntries(fd, entriesOf(spec)));
    describeEntry(dirFd, name, spec);
  }
}

function describeEntry(
  dirFd: number,
  name: ByteString,
  spec: Exclude<EntrySpec, HardLinkSpec>,
): void {
  if (spec.uid !== undefined || spec.gid !== undefined) {
    chownAt(dirFd, name, spec.uid ?? -1, spec.gid ?? -1);
  }
  for (const [key, value] of Object.entries(spec.xattrs ?? {})) {
    setXattr({ dirFd, name }, key, typeof value === "string" ? Buffer.from(value) : value);
  }
  // A change of the owner takes setuid and setgid away: so the mode comes after it.
  if (spec.type !== "symlink") {
    chmodAt(dirFd, name, spec.mode ?? DEFAULT_MODES[spec.type]);
    if (spec.acl !== undefined) setXattr({ dirFd, name }, ACCESS_ACL, encodeAcl(spec.acl));
  }
  if (spec.type === "dir" && spec.defaultAcl !== undefined) {
    setXattr({ dirFd, name }, DEFAULT_ACL, encodeAcl(spec.defaultAcl));
  }
  const mtime = spec.mtime ?? DEFAULT_TIME;
  utimensAt(dirFd, name, spec.atime ?? mtime, mtime);
}
