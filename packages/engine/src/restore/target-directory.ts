import { constants } from "node:os";
import type { ByteString } from "@comeback/core";
import {
  close,
  isSystemCallError,
  mkdirAt,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openAt,
  readDirectoryNames,
  removeXattr,
  S_IFDIR,
  statAtIfExists,
  statFd,
  SystemCallError,
  type FileStatus,
  unlinkAt,
} from "@comeback/platform";
import { applyToEntry, type EntryAttributes, hasDefaultAcl, kindOf } from "./entry-attributes.ts";
import { failureText } from "./failure-text.ts";
import type { RestoreRun } from "./restore-run.ts";
import { removeTree } from "./target-file.ts";
import { refusalToWrite, unusable } from "./target-root.ts";
import { throwIfHopeless } from "./hopeless.ts";

/** Until its own permissions are set, nobody else gets into a directory that is being filled. */
const FILLING_MODE = 0o700;

/** One directory of the target, from when the walk enters it until all of it is restored. */
export class TargetDirectory {
  readonly parent: TargetDirectory | undefined;
  readonly name: ByteString;
  /** Below the target, without a leading slash; "" for the target itself. */
  readonly path: ByteString;
  /** What the snapshot says; the target itself keeps what it has. */
  readonly attributes: EntryAttributes | undefined;
  readonly isSelected: boolean;
  state: "unknown" | "new" | "existing" | "unusable" = "unknown";
  /** What was in it; `undefined` where that could not be read. */
  names: ReadonlySet<ByteString> | undefined;
  /** New entries get our group and no ACL from it. */
  isPlain = false;
  inheritsAcl = false;
  isMountPoint = false;
  /** Something in it, or it itself, is selected. */
  isTouched = false;
  /** All names that the snapshot has in it, selected or not; only known where it is needed. */
  expected: ReadonlySet<ByteString> | undefined;
  /** Names to remove at the end. */
  surplus: readonly ByteString[] = [];
  /** Counted in its parent's `pending`. */
  holdsParent = false;
  /** What must happen before it is complete: the walk through it, and every entry's restoring. */
  pending = 1;

  constructor(
    parent: TargetDirectory | undefined,
    name: ByteString,
    attributes: EntryAttributes | undefined,
    isSelected: boolean,
  ) {
    this.parent = parent;
    this.name = name;
    this.attributes = attributes;
    this.isSelected = isSelected;
    this.path = parent === undefined || parent.path === "" ? name : `${parent.path}/${name}`;
  }

  /** As messages and selections know it. */
  get location(): ByteString {
    return `/${this.path}`;
  }

  /** The location of an entry in it. */
  locationOf(name: ByteString): ByteString {
    return this.path === "" ? `/${name}` : `/${this.path}/${name}`;
  }

  /** Whether something of this name may be there already. */
  mayHold(name: ByteString): boolean {
    if (this.state === "new") return false;
    return this.names === undefined || this.names.has(name);
  }
}

/** Makes directories as the walk needs them, and completes them once all in them is restored. */
export class TargetTree {
  readonly root: TargetDirectory;
  readonly #run: RestoreRun;
  #refusal: { readonly error: unknown } | undefined;

  constructor(run: RestoreRun) {
    this.#run = run;
    this.root = new TargetDirectory(undefined, "", undefined, false);
    const { rootFd } = run.session;
    if (rootFd < 0) this.root.state = "new";
    else this.#learn(this.root, rootFd, statFd(rootFd));
  }

  /** Makes sure that the directory is there; false where it cannot be, which has been reported. */
  ensure(directory: TargetDirectory): boolean {
    const { parent } = directory;
    directory.isTouched = true;
    if (directory.state !== "unknown" || parent === undefined) {
      return directory.state !== "unusable";
    }
    // A parent that is unusable has been reported; what is below it is not named one by one.
    if (!this.ensure(parent)) {
      directory.state = "unusable";
      return false;
    }
    parent.pending++;
    directory.holdsParent = true;
    try {
      if (this.#run.dryRun) this.#look(directory, parent);
      else this.#make(directory, parent);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      directory.state = "unusable";
      throwIfHopeless(error);
      const text = `${failureText(error)}; nothing below it is restored`;
      this.#run.meter.problem(directory.location, "write", text);
    }
    return directory.state !== "unusable";
  }

  /** Ends the restore where nothing can be made in the target itself. */
  requireWritable(directory: TargetDirectory): void {
    if (directory.parent !== undefined || this.#run.dryRun) return;
    this.#refusal ??= { error: refusalToWrite(this.#run.session.rootFd) };
    const { error } = this.#refusal;
    if (error !== undefined) throw unusable(this.#run.options.target, error);
  }

  /** The walk is done with the directory. */
  leave(directory: TargetDirectory): void {
    if (this.#run.mayDelete && directory.state === "existing" && directory.isTouched) {
      directory.surplus = this.#surplusOf(directory);
    }
    // Nobody asks for a name in it any more.
    directory.names = new Set();
    directory.expected = undefined;
    this.release(directory);
  }

  /** One thing less is pending in the directory; the last one completes it. */
  release(directory: TargetDirectory): void {
    if (--directory.pending > 0) return;
    const isUsable = directory.state === "new" || directory.state === "existing";
    if (isUsable && !this.#run.signal.aborted) this.#complete(directory);
    this.#run.directories.forget(directory.path);
    if (directory.holdsParent && directory.parent !== undefined) this.release(directory.parent);
  }

  #make(directory: TargetDirectory, parent: TargetDirectory): void {
    const { directories } = this.#run;
    const { name, path } = directory;
    const parentFd = directories.fdOf(parent.path);
    if (parent.mayHold(name)) {
      const found = statAtIfExists(parentFd, name);
      if (found !== undefined && kindOf(found.mode) === S_IFDIR) {
        return this.#enter(directory, parentFd);
      }
      if (found !== undefined) this.#clear(parentFd, name);
    }
    this.requireWritable(parent);
    mkdirAt(parentFd, name, FILLING_MODE);
    const fd = openAt(parentFd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    directories.keep(path, fd);
    directory.state = "new";
    directory.isPlain = parent.isPlain;
    if (parent.inheritsAcl) this.#dropInheritedAcl(parent, name);
  }

  /** Something else than a directory is in the way (restic removes it whatever the mode says). */
  #clear(parentFd: number, name: ByteString): void {
    if (this.#run.overwrite === "never") {
      throw new SystemCallError(constants.errno.ENOTDIR, "mkdirat", name);
    }
    unlinkAt(parentFd, name);
  }

  /** So that the ACL ends here, and need not be taken from everything below one by one. */
  #dropInheritedAcl(parent: TargetDirectory, name: ByteString): void {
    const subject = { dirFd: this.#run.directories.fdOf(parent.path), name };
    for (const attribute of ["system.posix_acl_default", "system.posix_acl_access"]) {
      try {
        removeXattr(subject, attribute);
      } catch (error) {
        if (!isSystemCallError(error, "ENODATA")) throw error;
      }
    }
  }

  #enter(directory: TargetDirectory, parentFd: number): void {
    let fd: number;
    try {
      fd = openAt(parentFd, directory.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    } catch (error) {
      // Without root, a directory may be usable though not readable.
      if (!isSystemCallError(error, "EACCES")) throw error;
      directory.state = "existing";
      return;
    }
    try {
      const status = statFd(fd);
      this.#learn(directory, fd, status);
      directory.isMountPoint = status.deviceId !== statFd(parentFd).deviceId;
    } finally {
      close(fd);
    }
  }

  #learn(directory: TargetDirectory, fd: number, status: FileStatus): void {
    directory.state = "existing";
    directory.names = new Set(readDirectoryNames(fd));
    directory.inheritsAcl = hasDefaultAcl(fd);
    directory.isPlain = status.gid === this.#run.who.gid && !directory.inheritsAcl;
  }

  /** What a dry run does instead of `#make`. */
  #look(directory: TargetDirectory, parent: TargetDirectory): void {
    directory.state = "new";
    if (!parent.mayHold(directory.name)) return;
    const parentFd = this.#run.directories.fdOf(parent.path);
    const found = statAtIfExists(parentFd, directory.name);
    if (found !== undefined && kindOf(found.mode) === S_IFDIR) this.#enter(directory, parentFd);
  }

  #complete(directory: TargetDirectory): void {
    const { parent, attributes, name } = directory;
    const { meter, who, dryRun, directories } = this.#run;
    this.#removeSurplus(directory);
    if (parent === undefined || attributes === undefined) return;
    if (!dryRun) {
      const failure = applyToEntry(directories.fdOf(parent.path), name, S_IFDIR, attributes, who);
      if (failure !== undefined) {
        meter.problem(directory.location, "metadata", failureText(failure));
      }
    }
    if (directory.isSelected) meter.done(() => directory.location, "dir", "restored");
  }

  /** What the snapshot does not have, as far as it is selected. */
  #surplusOf(directory: TargetDirectory): ByteString[] {
    const { expected, names = [] } = directory;
    if (expected === undefined) return [];
    if (directory.isMountPoint && expected.size === 0) {
      // A backup of one file system stores the places where others are mounted as empty.
      this.#run.meter.note(directory.location, "another file system is mounted here: it stays");
      return [];
    }
    const isSurplus = (name: ByteString): boolean =>
      !expected.has(name) && this.#run.select(() => directory.locationOf(name), false).isSelected;
    return [...names].filter(isSurplus);
  }

  #removeSurplus(directory: TargetDirectory): void {
    const { meter, dryRun, directories } = this.#run;
    if (!this.#run.mayDelete) return;
    for (const name of directory.surplus) {
      const location = directory.locationOf(name);
      try {
        if (!dryRun) removeTree(directories.fdOf(directory.path), name);
        meter.deleted(location);
      } catch (error) {
        if (!isSystemCallError(error)) throw error;
        meter.problem(location, "delete", failureText(error));
      }
    }
  }
}
