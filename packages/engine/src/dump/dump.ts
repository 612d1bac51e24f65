import type { ByteString, OperationOptions } from "@comeback/core";
import { ComebackError, displayText } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { TreeNode } from "../tree/types.ts";
import { ContentFinder, type FolderParts, type Wanted, wantedOfFolder } from "./dump-parts.ts";
import { gatherChunks } from "./gather-chunks.ts";
import { readWindows } from "./read-windows.ts";
import { isForTar } from "./tar-header.ts";
import { writeTar } from "./tar.ts";
import { isForZip, writeZip } from "./zip.ts";

export const ARCHIVE_FORMATS = ["tar", "zip"] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

export interface DumpFolderOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Repository;
  /** The folder whose content goes into the archive. */
  readonly treeId: string;
  readonly format: ArchiveFormat;
  /** What stands before every path in the archive; default: nothing. */
  readonly prefix?: ByteString;
  /** Told of each entry that the format has no place for (a socket, in zip also a device). */
  onSkipped?(path: ByteString, node: TreeNode): void;
}

/**
 * A folder as one archive, piece by piece: memory stays bounded, blobs are fetched and opened
 * ahead. Damage ends it with an error that names the file; what came out by then is no archive.
 */
export async function* dumpFolder(options: DumpFolderOptions): AsyncGenerator<Uint8Array> {
  const { repository, format, prefix = "", signal } = options;
  const isTar = format === "tar";
  const folder: FolderParts = {
    repository,
    treeId: options.treeId,
    prefix: prefix.replaceAll(/^\/+|\/+$/g, ""),
    hasLinks: isTar,
    accepts: isTar ? isForTar : isForZip,
    onSkipped: (path, node) => options.onSkipped?.(path, node),
    signal,
  };
  const windows = readWindows(repository, wantedOfFolder(folder), { signal });
  yield* gatherChunks(isTar ? writeTar(windows) : writeZip(windows));
}

/** The content of a file, as `readFile` gives it, with more fetched ahead. */
export async function* dumpFile(
  repository: Repository,
  path: ByteString,
  node: TreeNode,
  options: OperationOptions = {},
): AsyncGenerator<Uint8Array> {
  if (node.type !== "file") {
    throw new ComebackError("option.invalid", `${displayText(path)} is not a file`, {
      why: `it is a ${node.type}`,
      next: "name a file, or a folder for an archive of it",
    });
  }
  const { blobs, sizeBytes } = new ContentFinder(repository).find(path, node);
  const wanted = async function* (): AsyncGenerator<Wanted> {
    yield { path, node, sizeBytes };
    yield* blobs;
  };
  for await (const parts of readWindows(repository, wanted(), options)) {
    for (const part of parts) if (part instanceof Uint8Array) yield part;
  }
}
