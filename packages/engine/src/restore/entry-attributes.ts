import { readFileSync } from "node:fs";
import type { ByteString, ExtendedAttribute, Instant } from "@comeback/core";
import {
  chmodAt,
  chownAt,
  close,
  fchmod,
  fchown,
  futimens,
  getXattr,
  isSystemCallError,
  listXattrs,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openAt,
  removeXattr,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  setXattr,
  utimensAt,
  type XattrSubject,
} from "@comeback/platform";

/** What an entry has besides its content. */
export interface EntryAttributes {
  /** Permissions, setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Instant;
  readonly atime: Instant;
  readonly extendedAttributes?: readonly ExtendedAttribute[] | undefined;
}

/** Who we are: decides what is there without being asked for, and which refusals are expected. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

export function ownIdentity(): Identity {
  return {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    umask: ownUmask(),
  };
}

/** Where it cannot be told, everything: then each file's permissions are set explicitly. */
function ownUmask(): number {
  try {
    const [, octal] = /^Umask:\s*([0-7]+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return octal === undefined ? 0o777 : Number.parseInt(octal, 8);
  } catch {
    return 0o777;
  }
}

/** What a new file is known to have already, so that no call is spent on it. */
export interface KnownState {
  /** Its owner and group are ours, and it inherited no ACL. */
  readonly plain: boolean;
  /** Its permission bits; -1 where they are not known. */
  readonly mode: number;
}

/** For an entry of which nothing is known. */
export const UNKNOWN_STATE: KnownState = { plain: false, mode: -1 };

/**
 * The permissions with which a file is created: never more than it has in the end, and never more
 * than the owner's as long as it is not its owner's.
 */
export function creationMode(attributes: EntryAttributes, who: Identity, plain: boolean): number {
  const { uid, gid, mode, extendedAttributes } = attributes;
  const isOurs = plain && uid === who.uid && gid === who.gid;
  // Attributes can only be set on a file that its owner may write.
  return isOurs && extendedAttributes === undefined ? mode & 0o777 : 0o600;
}

/**
 * Gives an open file its owner, attributes, permissions and times, in the order in which none
 * undoes another: a change of owner clears setuid and capabilities, an ACL changes permissions,
 * and everything but the times themselves may touch the times.
 *
 * Each is tried although another failed; the first failure is returned. Without root, refusals are
 * expected and passed over, as restic does.
 */
export function applyToFile(
  fd: number,
  attributes: EntryAttributes,
  who: Identity,
  known: KnownState,
): Error | undefined {
  const { uid, gid, mode } = attributes;
  let failure: Error | undefined;
  let modeNow = known.mode;
  if (!known.plain || uid !== who.uid || gid !== who.gid) {
    failure = attempt(who, () => fchown(fd, uid, gid));
    modeNow = -1;
  }
  const wanted = attributes.extendedAttributes;
  if (!known.plain || wanted !== undefined) {
    // Without root, `user` attributes need the permission to write.
    if (wanted !== undefined && who.uid !== 0) attempt(who, () => fchmod(fd, 0o700));
    failure = attempt(who, () => applyExtendedAttributes(fd, wanted)) ?? failure;
    modeNow = -1;
  }
  if (modeNow !== mode) failure = attempt(who, () => fchmod(fd, mode)) ?? failure;
  return attempt(who, () => futimens(fd, attributes.atime, attributes.mtime)) ?? failure;
}

/** The same by name, for entries that cannot be opened. Never follows a symlink. */
export function applyByName(
  dirFd: number,
  name: ByteString,
  kind: number,
  attributes: EntryAttributes,
  who: Identity,
): Error | undefined {
  const { uid, gid, mode, extendedAttributes, atime, mtime } = attributes;
  let failure = attempt(who, () => chownAt(dirFd, name, uid, gid));
  const subject = { dirFd, name };
  failure = attempt(who, () => applyExtendedAttributes(subject, extendedAttributes)) ?? failure;
  if (kind !== S_IFLNK) failure = attempt(who, () => chmodAt(dirFd, name, mode)) ?? failure;
  return attempt(who, () => utimensAt(dirFd, name, atime, mtime)) ?? failure;
}

/**
 * For an existing file or a directory, through a descriptor where it can be opened. `kind` is what
 * it must be, from `S_IFMT`.
 */
export function applyToEntry(
  dirFd: number,
  name: ByteString,
  kind: number,
  attributes: EntryAttributes,
  who: Identity,
): Error | undefined {
  if (kind !== S_IFDIR && kind !== S_IFREG) {
    return applyByName(dirFd, name, kind, attributes, who);
  }
  const asDirectory = kind === S_IFDIR ? O_DIRECTORY : 0;
  let fd: number;
  try {
    fd = openAt(dirFd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | asDirectory);
  } catch (error) {
    if (!isSystemCallError(error, "EACCES")) return error as Error;
    return applyByName(dirFd, name, kind, attributes, who);
  }
  try {
    return applyToFile(fd, attributes, who, UNKNOWN_STATE);
  } finally {
    close(fd);
  }
}

/** Names that an entry may only have where the snapshot has them. Others belong to the system. */
function isOursToRemove(name: ByteString): boolean {
  return name.startsWith("user.") || name.startsWith("system.posix_acl_");
}

function applyExtendedAttributes(
  subject: XattrSubject,
  wanted: readonly ExtendedAttribute[] = [],
): void {
  let failure: unknown;
  for (const { name, value } of wanted) {
    try {
      setXattr(subject, name, value);
    } catch (error) {
      // A file system without attributes cannot get any (restic passes over it, too).
      if (!isSystemCallError(error, "ENOTSUP")) failure ??= error;
    }
  }
  for (const name of listXattrs(subject)) {
    if (!isOursToRemove(name) || wanted.some((attribute) => attribute.name === name)) continue;
    try {
      removeXattr(subject, name);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure as Error;
}

const DEFAULT_ACL = "system.posix_acl_default";

/** Whether what is made in this directory inherits an ACL. */
export function hasDefaultAcl(dirFd: number): boolean {
  try {
    return getXattr(dirFd, DEFAULT_ACL) !== undefined;
  } catch (error) {
    return !isSystemCallError(error, "ENOTSUP");
  }
}

function attempt(who: Identity, work: () => void): Error | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    const refused = isSystemCallError(error, "EPERM") || isSystemCallError(error, "EACCES");
    return refused && who.uid !== 0 ? undefined : (error as Error);
  }
}

/** The kind of an entry out of its `st_mode`. */
export function kindOf(mode: number): number {
  return mode & S_IFMT;
}
