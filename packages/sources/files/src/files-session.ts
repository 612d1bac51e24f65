import {
  type ByteString,
  ComebackError,
  displayText,
  LISTING_AT_ONCE_MAX_ENTRIES,
  type SourceEntry,
  type SourceOpenOptions,
  type SourceProblem,
  type SourceSession,
  WALK_SLICE_MS,
} from "@comeback/core";
import {
  AT_FDCWD,
  close,
  type FileStatus,
  isSystemCallError,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  openPath,
  PATH_MAX_BYTES,
  readDirectoryNames,
  readLinkAt,
  statAt,
} from "@comeback/platform";
import {
  type MetadataExtras,
  metadataOf,
  nodeTypeOfMode,
  readAttributes,
} from "./entry-metadata.ts";
import type { EntryRules } from "./entry-rules.ts";
import { FolderOpener } from "./open-folder.ts";
import { layOutTargets, type TargetNode } from "./target-tree.ts";
import {
  absolutePath,
  type AbsolutePath,
  baseName,
  parentPath,
  type WorkingFolder,
} from "./working-folder.ts";

export type FilesSessionOptions = {
  readonly targets: readonly ByteString[];
  readonly rules: EntryRules;
  readonly folder: WorkingFolder;
  readonly open: SourceOpenOptions;
};

/** Where an entry is to be looked for: a name in an open folder. */
type Place = { readonly dirFd: number; readonly name: ByteString };

/** Whether `--one-file-system` lets an entry stay. */
type DeviceCheck = (status: FileStatus, isFolder: boolean) => boolean;

/** One walk over local files. */
export class FilesSession implements SourceSession {
  readonly #options: FilesSessionOptions;
  readonly #rules: EntryRules;
  readonly #opener = new FolderOpener();
  readonly #onProblem: (problem: SourceProblem) => void;

  constructor(options: FilesSessionOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#onProblem = (problem) => options.open.onProblem(problem);
  }

  root(): SourceEntry[] {
    const { targets } = this.#options;
    const entries = this.#inside(layOutTargets(targets, (path) => this.#names(path)));
    if (entries.length > 0) return entries;
    throw new ComebackError("backup.no-source", "there is nothing to back up", {
      why: "every target is excluded or cannot be read",
      next: "look at the exclude options, and whether you may read the targets",
    });
  }

  list(directory: SourceEntry): SourceEntry[] | Promise<SourceEntry[]> {
    const where = directory.directory;
    if (where instanceof FolderAbove) return this.#inside(where.node);
    if (!(where instanceof Target)) throw new TypeError("not a folder of this source");
    return this.#listFolder(directory, where);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#opener[Symbol.dispose]();
  }

  /** The names in a folder that stands for its entries. */
  #names(path: ByteString): ByteString[] {
    const { actualPath } = absolutePath(path, this.#options.folder);
    try {
      const fd = openPath(actualPath, O_RDONLY | O_DIRECTORY);
      try {
        return readDirectoryNames(fd);
      } finally {
        close(fd);
      }
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      throw new ComebackError("backup.no-source", `cannot list ${displayText(actualPath)}`, {
        why: error.reason,
        cause: error,
      });
    }
  }

  /** What lies in a folder above targets: other such folders, and targets. */
  #inside(node: TargetNode): SourceEntry[] {
    const entries: SourceEntry[] = [];
    for (const name of [...node.nodes.keys()].sort()) {
      const inner = node.nodes.get(name)!;
      const entry =
        inner.target === undefined
          ? this.#folderAbove(name, inner)
          : this.#target(name, inner.target);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** The attributes are those of the folder itself, also where the way to it is a symlink. */
  #folderAbove(name: ByteString, node: TargetNode): SourceEntry | undefined {
    const { path, actualPath } = absolutePath(node.metadataFrom ?? "/", this.#options.folder);
    let status: FileStatus;
    try {
      status = statAt(AT_FDCWD, actualPath, { followSymlinks: true });
    } catch (error) {
      return this.#unreadable(path, "stat", error);
    }
    if (nodeTypeOfMode(status.mode) !== "dir") {
      this.#onProblem({ path, during: "stat", message: "is no folder any more" });
      return undefined;
    }
    // restic takes the attributes of the symlink here, and does without those it may not see.
    const extendedAttributes = readAttributes(actualPath, path, () => undefined);
    const metadata = metadataOf("dir", status, { extendedAttributes });
    return { name, path, metadata, directory: new FolderAbove(node) };
  }

  #target(name: ByteString, given: ByteString): SourceEntry | undefined {
    const where = absolutePath(given, this.#options.folder);
    const { path, actualPath } = where;
    const { paths, tags, devices } = this.#rules;
    if (paths.excludes(path)) return undefined;
    if (!tags.isEmpty && tags.excludes(parentPath(actualPath), baseName(path), this.#onProblem)) {
      return undefined;
    }
    const target = new Target(where, devices?.allowedAt(path));
    if (actualPath.length <= PATH_MAX_BYTES) {
      return this.#topEntry({ dirFd: AT_FDCWD, name: actualPath }, name, target);
    }
    let dirFd: number;
    try {
      dirFd = openPath(parentPath(actualPath), O_PATH | O_DIRECTORY);
    } catch (error) {
      return this.#unreadable(path, "stat", error);
    }
    try {
      return this.#topEntry({ dirFd, name: baseName(actualPath) }, name, target);
    } finally {
      close(dirFd);
    }
  }

  #topEntry(place: Place, name: ByteString, target: Target): SourceEntry | undefined {
    const { devices } = this.#rules;
    return this.#entry(place, name, target.path, target, ({ deviceId }, isFolder) =>
      devices === undefined ? true : devices.keeps(target.path, deviceId, isFolder),
    );
  }

  #listFolder(directory: SourceEntry, target: Target): SourceEntry[] | Promise<SourceEntry[]> {
    const { path } = directory;
    let dirFd: number;
    try {
      dirFd = this.#opener.open(target, path);
    } catch (error) {
      this.#unreadable(path, "list", error);
      return [];
    }
    let keepOpen = false;
    try {
      const listing = new Listing(dirFd, directory, target, this.#keptNames(dirFd, path));
      if (listing.names.length <= LISTING_AT_ONCE_MAX_ENTRIES) {
        while (this.#step(listing));
        return listing.entries;
      }
      keepOpen = true;
      return this.#listLarge(listing);
    } finally {
      if (!keepOpen) close(dirFd);
    }
  }

  /** A folder so large that other work has to get its turn in between. */
  async #listLarge(listing: Listing): Promise<SourceEntry[]> {
    try {
      let sliceEndMs = performance.now() + WALK_SLICE_MS;
      while (this.#step(listing)) {
        if (performance.now() < sliceEndMs) continue;
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        this.#options.open.signal.throwIfAborted();
        sliceEndMs = performance.now() + WALK_SLICE_MS;
      }
      return listing.entries;
    } finally {
      close(listing.dirFd);
    }
  }

  /** The names in a folder that no rule on names excludes, in order. */
  #keptNames(dirFd: number, path: ByteString): ByteString[] {
    let names: ByteString[];
    try {
      names = readDirectoryNames(dirFd);
    } catch (error) {
      this.#unreadable(path, "list", error);
      return [];
    }
    const { tags, paths } = this.#rules;
    if (!tags.isEmpty) names = tags.keep(dirFd, path, names, this.#onProblem);
    const isExcluded = paths.inFolder(path);
    if (isExcluded !== undefined) names = names.filter((name) => !isExcluded(name));
    return names.sort();
  }

  /** Looks at the next name; false where there is none. */
  #step(listing: Listing): boolean {
    const name = listing.names[listing.next];
    if (name === undefined) return false;
    listing.next++;
    const path = `${listing.path}/${name}`;
    const { dirFd, target, isOnDevice } = listing;
    const entry = this.#entry({ dirFd, name }, name, path, target, isOnDevice);
    if (entry !== undefined) listing.entries.push(entry);
    return true;
  }

  #entry(
    place: Place,
    name: ByteString,
    path: ByteString,
    target: Target,
    isOnDevice: DeviceCheck,
  ): SourceEntry | undefined {
    let status: FileStatus;
    try {
      status = statAt(place.dirFd, place.name);
    } catch (error) {
      return this.#unreadable(path, "stat", error);
    }
    const type = nodeTypeOfMode(status.mode);
    // A socket means nothing without the program behind it; restic leaves it out as well.
    if (type === "socket") return undefined;
    if (type === undefined) {
      this.#onProblem({ path, during: "stat", message: "an unknown kind of file" });
      return undefined;
    }
    const isFolder = type === "dir";
    if (!isOnDevice(status, isFolder)) return undefined;
    if (status.sizeBytes > this.#rules.largestBytes && !isFolder) return undefined;
    const extras: MetadataExtras = {};
    if (type === "symlink") {
      try {
        extras.linkTarget = readLinkAt(place.dirFd, place.name);
      } catch (error) {
        return this.#unreadable(path, "readlink", error);
      }
    }
    extras.extendedAttributes = readAttributes(place, path, this.#onProblem);
    const metadata = metadataOf(type, status, extras);
    if (type === "file") {
      return { name, path, metadata, content: { kind: "path", path: target.actual(path) } };
    }
    return isFolder ? { name, path, metadata, directory: target } : { name, path, metadata };
  }

  /** Reports what cannot be read; other failures are thrown on. */
  #unreadable(path: ByteString, during: SourceProblem["during"], error: unknown): undefined {
    if (!isSystemCallError(error)) throw error;
    this.#onProblem({ path, during, message: error.reason });
    return undefined;
  }
}

/** A folder that holds only targets and folders above targets. */
class FolderAbove {
  readonly node: TargetNode;

  constructor(node: TargetNode) {
    this.node = node;
  }
}

/** What every folder at or below one target has in common. */
class Target implements AbsolutePath {
  readonly path: ByteString;
  readonly actualPath: ByteString;
  /** With `--one-file-system`: where the entries have to be. */
  readonly allowedDevice: number | bigint | undefined;

  constructor(where: AbsolutePath, allowedDevice: number | bigint | undefined) {
    this.path = where.path;
    this.actualPath = where.actualPath;
    this.allowedDevice = allowedDevice;
  }

  /** How the kernel knows a path at or below the target. */
  actual(path: ByteString): ByteString {
    return this.path === this.actualPath ? path : this.actualPath + path.slice(this.path.length);
  }
}

/** One folder that is being listed. */
class Listing {
  readonly dirFd: number;
  readonly path: ByteString;
  readonly target: Target;
  readonly names: readonly ByteString[];
  readonly isOnDevice: DeviceCheck;
  readonly entries: SourceEntry[] = [];
  next = 0;

  constructor(dirFd: number, directory: SourceEntry, target: Target, names: readonly ByteString[]) {
    this.dirFd = dirFd;
    this.path = directory.path;
    this.target = target;
    this.names = names;
    const { allowedDevice } = target;
    const isMountPoint = directory.metadata.deviceId !== allowedDevice;
    // A folder that something is mounted on stays, but nothing in it.
    this.isOnDevice = ({ deviceId }, isFolder) =>
      allowedDevice === undefined || deviceId === allowedDevice || (isFolder && !isMountPoint);
  }
}
