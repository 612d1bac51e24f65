import type { ByteString, Instant } from "@comeback/core";
import { type FileStatus, isSystemCallError, linkAt, statAtIfExists } from "@comeback/platform";
import { parseTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";
import { failureText } from "./failure-text.ts";
import { isProtected } from "./overwrite.ts";
import type { RestoreRun } from "./restore-run.ts";
import type { TargetDirectory, TargetTree } from "./target-directory.ts";
import { removeInTheWay } from "./target-file.ts";

/** One more name of a file that has been or is being restored under its first name. */
interface FurtherName {
  readonly directory: TargetDirectory;
  readonly name: ByteString;
  readonly mtime: Instant;
  /** Something of the name may be there already. */
  readonly mayExist: boolean;
}

/** The names of one file. */
export interface LinkGroup {
  readonly key: string;
  readonly directory: TargetDirectory;
  readonly name: ByteString;
  state: "pending" | "restored" | "failed";
  namesSeen: number;
  readonly waiting: FurtherName[];
}

/**
 * Regroups names that were one file (same inode and device): the first one is restored, the others
 * become links to it. A group is forgotten once all its names have been seen.
 */
export class HardLinks {
  readonly #run: RestoreRun;
  readonly #tree: TargetTree;
  readonly #groups = new Map<string, LinkGroup>();

  constructor(run: RestoreRun, tree: TargetTree) {
    this.#run = run;
    this.#tree = tree;
  }

  /** The group that a file is the first name of; `undefined` where it has only one name. */
  begin(node: TreeNode, directory: TargetDirectory): LinkGroup | undefined {
    if (node.links <= 1) return undefined;
    const key = keyOf(node);
    const group: LinkGroup = {
      key,
      directory,
      name: node.name,
      state: "pending",
      namesSeen: 1,
      waiting: [],
    };
    this.#groups.set(key, group);
    return group;
  }

  /** Whether the file was met under another name before; then it is linked, now or later. */
  isFurtherName(node: TreeNode, directory: TargetDirectory): boolean {
    if (node.links <= 1) return false;
    const group = this.#groups.get(keyOf(node));
    if (group === undefined) return false;
    if (++group.namesSeen >= node.links) this.#groups.delete(group.key);
    const { name } = node;
    const mayExist = directory.mayHold(name);
    const further = { directory, name, mtime: parseTime(node.mtime), mayExist };
    this.#run.meter.seen(0);
    if (group.state === "pending") {
      directory.pending++;
      group.waiting.push(further);
    } else {
      this.#link(group, further);
    }
    return true;
  }

  /** The first name is restored, or could not be: the others follow. */
  settle(group: LinkGroup, state: "restored" | "failed"): void {
    group.state = state;
    for (const further of group.waiting.splice(0)) {
      this.#link(group, further);
      this.#tree.release(further.directory);
    }
  }

  #link(group: LinkGroup, further: FurtherName): void {
    const { directory, name } = further;
    const { meter, dryRun, overwrite } = this.#run;
    const location = (): ByteString => directory.locationOf(name);
    if (group.state === "failed") {
      const first = group.directory.locationOf(group.name);
      meter.problem(location(), "link", `it is one file with ${first}, which is not complete`);
      return;
    }
    try {
      const found = further.mayExist
        ? statAtIfExists(this.#run.directories.fdOf(directory.path), name)
        : undefined;
      if (found !== undefined && isProtected(overwrite, further.mtime, found)) {
        return meter.skipped(location, "file", 0);
      }
      if (!dryRun) this.#linkUnlessLinked(group, further, found);
      meter.done(location, "file", "restored");
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      meter.problem(location(), "link", failureText(error));
    }
  }

  #linkUnlessLinked(group: LinkGroup, further: FurtherName, found: FileStatus | undefined): void {
    const { directories, mayDelete } = this.#run;
    const dirFd = directories.fdOf(further.directory.path);
    const firstDirFd = directories.fdOf(group.directory.path);
    if (found !== undefined) {
      const first = statAtIfExists(firstDirFd, group.name);
      if (first?.inode === found.inode && first.deviceId === found.deviceId) return;
      removeInTheWay(dirFd, further.name, mayDelete);
    }
    linkAt(firstDirFd, group.name, dirFd, further.name);
  }
}

/** Inode and device as the snapshot has them; both are needed, and either may be a bigint. */
function keyOf(node: TreeNode): string {
  return `${String(node.inode)}:${String(node.device_id)}`;
}
