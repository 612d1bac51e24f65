import type { ByteString } from "@comeback/core";
import {
  isSystemCallError,
  mknodAt,
  readLinkAt,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFLNK,
  statAtIfExists,
  symlinkAt,
} from "@comeback/platform";
import type { TreeNode } from "../tree/types.ts";
import { applyByName, kindOf } from "./entry-attributes.ts";
import { failureText } from "./failure-text.ts";
import { throwIfHopeless } from "./hopeless.ts";
import { isProtected } from "./overwrite.ts";
import { attributesOf } from "./planned-file.ts";
import type { RestoreRun } from "./restore-run.ts";
import type { TargetDirectory } from "./target-directory.ts";
import { removeInTheWay } from "./target-file.ts";

const KINDS: Readonly<Partial<Record<TreeNode["type"], number>>> = {
  symlink: S_IFLNK,
  dev: S_IFBLK,
  chardev: S_IFCHR,
  fifo: S_IFIFO,
};

/** Restores a symlink, a device or a fifo: entries without content. */
export function restoreSpecial(run: RestoreRun, directory: TargetDirectory, node: TreeNode): void {
  const { meter, overwrite } = run;
  const location = (): ByteString => directory.locationOf(node.name);
  const kind = KINDS[node.type];
  if (kind === undefined) {
    // A socket is nothing without the program that made it; restic passes over it, too.
    if (node.type === "socket") return meter.note(location(), "sockets are not restored");
    const what = `it is of an unknown kind, ${JSON.stringify(node.type_text ?? node.type)}`;
    return meter.problem(location(), "read", what);
  }
  meter.seen(0);
  try {
    // A dry run makes no folders: one that was not there has no descriptor either.
    const dirFd = (): number => run.directories.fdOf(directory.path);
    const found = directory.mayHold(node.name) ? statAtIfExists(dirFd(), node.name) : undefined;
    const attributes = attributesOf(node);
    if (found !== undefined && isProtected(overwrite, attributes.mtime, found)) {
      return meter.skipped(location, "other", 0);
    }
    if (!run.dryRun) {
      const foundKind = found === undefined ? 0 : kindOf(found.mode);
      if (foundKind !== S_IFLNK || kind !== S_IFLNK || !isSameLink(dirFd(), node)) {
        if (found !== undefined) removeInTheWay(dirFd(), node.name, run.mayDelete);
        create(dirFd(), kind, node);
      }
      const failure = applyByName(dirFd(), node.name, kind, attributes, run.who);
      if (failure !== undefined) meter.problem(location(), "metadata", failureText(failure));
    }
    meter.done(location, "other", "restored");
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    throwIfHopeless(error);
    meter.problem(location(), "write", failureText(error));
  }
}

function isSameLink(dirFd: number, node: TreeNode): boolean {
  return readLinkAt(dirFd, node.name) === (node.linktarget ?? "");
}

function create(dirFd: number, kind: number, node: TreeNode): void {
  if (kind === S_IFLNK) symlinkAt(node.linktarget ?? "", dirFd, node.name);
  else mknodAt(dirFd, node.name, kind | 0o600, kind === S_IFIFO ? 0 : (node.device ?? 0));
}
