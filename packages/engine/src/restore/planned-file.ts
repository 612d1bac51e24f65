import type { ByteString } from "@comeback/core";
import { permissionsFromGoMode } from "../tree/mode.ts";
import { parseTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";
import type { EntryAttributes } from "./entry-attributes.ts";
import type { LinkGroup } from "./hard-links.ts";
import type { TargetDirectory } from "./target-directory.ts";
import { FileAction, type TaskFile } from "./tasks.ts";

/** What a tree says of an entry besides its content. */
export function attributesOf(node: TreeNode): EntryAttributes {
  const mtime = parseTime(node.mtime);
  const { extended_attributes: extended } = node;
  return {
    mode: permissionsFromGoMode(node.mode),
    uid: node.uid,
    gid: node.gid,
    mtime,
    // restic stores the modification time in its place unless told otherwise.
    atime: node.atime === node.mtime ? mtime : parseTime(node.atime),
    extendedAttributes: extended === undefined || extended.length === 0 ? undefined : extended,
  };
}

/** A regular file from when the walk meets it until it is restored. */
export class PlannedFile implements TaskFile {
  readonly directory: TargetDirectory;
  readonly name: ByteString;
  readonly attributes: EntryAttributes;
  sizeBytes: number;
  readonly isSparse: boolean;
  /** Counted over all selected files of the walk. */
  readonly ordinal: number;
  /** Further names of the same file, which wait for this one. */
  readonly links: LinkGroup | undefined;
  action: FileAction = FileAction.create;
  /** Something of its name is there and has not been compared yet. */
  isToCompare: boolean;
  /** The overwrite mode wants it left as it is. */
  isProtected = false;
  /** All of it that was compared so far is right, and its size is. */
  isSame = false;
  /** Open in the main thread, because several tasks write into it. */
  fd = -1;
  /** Blobs of the one task that writes the file, where one does. */
  uses = 0;
  /** All of its blobs have been handed to windows; they come to so many bytes. */
  isPlanned = false;
  contentBytes = 0;
  /** The walk, windows and ranges that are not done with it. */
  pending = 1;
  /** It is restored, skipped or failed: there is nothing more to do. */
  isSettled = false;
  /** Why it will not be complete. */
  loss: string | undefined;

  constructor(options: {
    readonly directory: TargetDirectory;
    readonly node: TreeNode;
    readonly sparse: boolean;
    readonly ordinal: number;
    readonly links: LinkGroup | undefined;
  }) {
    const { directory, node } = options;
    this.directory = directory;
    this.name = node.name;
    this.attributes = attributesOf(node);
    this.sizeBytes = Number(node.size);
    this.isSparse = options.sparse;
    this.ordinal = options.ordinal;
    this.links = options.links;
    this.isToCompare = directory.mayHold(node.name);
  }

  get plainDirectory(): boolean {
    return this.directory.isPlain;
  }

  /** Holes are only left out of new files: an existing one may have data there. */
  get sparse(): boolean {
    return this.isSparse && this.action !== FileAction.update;
  }

  get location(): ByteString {
    return this.directory.locationOf(this.name);
  }
}
