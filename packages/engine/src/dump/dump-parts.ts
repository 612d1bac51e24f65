import type { ByteString, OperationOptions } from "@comeback/core";
import { damaged, displayText } from "@comeback/core";
import { type BlobTable, idWords } from "../index/blob-table.ts";
import { walkSnapshot } from "../listing/walk-snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import { plaintextBytes } from "../stats/node-counters.ts";
import type { TreeNode } from "../tree/types.ts";

/** An entry of an archive. */
export interface DumpEntry {
  /** Without a slash at either end; raw bytes. */
  readonly path: ByteString;
  readonly node: TreeNode;
  /** Of a file: the bytes that its blobs have in all. */
  readonly sizeBytes: number;
  /** The entry that this one is a further name of. */
  readonly linkTo?: ByteString;
}

/** What is wanted in order: an entry, then the blobs of its content, as entries of the table. */
export type Wanted = DumpEntry | number;

/** A file's blobs in the index, and their bytes. Fails where one is missing. */
export class ContentFinder {
  readonly #table: BlobTable;
  readonly #words = new Uint32Array(8);

  constructor(repository: Repository) {
    this.#table = repository.index.table;
  }

  find(path: ByteString, node: TreeNode): { blobs: number[]; sizeBytes: number } {
    const what = `file ${displayText(path)}`;
    const { content } = node;
    if (!Array.isArray(content)) throw damaged(what, "its entry has no list of blobs");
    let sizeBytes = 0;
    const blobs = (content as readonly string[]).map((id) => {
      const entry = this.#table.find("data", idWords(id, this.#words));
      if (entry < 0) throw damaged(what, `the index does not list its blob ${id.slice(0, 10)}`);
      sizeBytes += plaintextBytes(this.#table.locationOf(entry));
      return entry;
    });
    return { blobs, sizeBytes };
  }
}

export interface FolderParts extends OperationOptions {
  readonly repository: Repository;
  readonly treeId: string;
  /** What stands before every path in the archive. */
  readonly prefix: ByteString;
  /** Whether the archive can say that two names are one file. */
  readonly hasLinks: boolean;
  /** Whether the archive can hold an entry; others are passed over, and told. */
  accepts(node: TreeNode): boolean;
  onSkipped?(path: ByteString, node: TreeNode): void;
}

/** Everything below a folder, each file followed by its blobs. */
export async function* wantedOfFolder(folder: FolderParts): AsyncGenerator<Wanted> {
  const finder = new ContentFinder(folder.repository);
  const links = new KnownNames();
  const prefix = folder.prefix === "" ? "" : `${folder.prefix}/`;
  for await (const walked of walkSnapshot(folder.repository, folder.treeId, folder)) {
    const { node } = walked;
    const path = prefix + walked.path.slice(1);
    if (!folder.accepts(node)) {
      folder.onSkipped?.(walked.path, node);
      continue;
    }
    const linkTo = folder.hasLinks ? links.firstNameOf(node, path) : undefined;
    if (linkTo !== undefined) yield { path, node, sizeBytes: 0, linkTo };
    else if (node.type === "file") {
      const { blobs, sizeBytes } = finder.find(walked.path, node);
      yield { path, node, sizeBytes };
      yield* blobs;
    } else {
      yield { path, node, sizeBytes: 0 };
    }
  }
}

interface KnownName {
  readonly path: ByteString;
  readonly content: readonly string[] | null | undefined;
  namesSeen: number;
}

/** Names of files that have several, until all of them were seen. */
class KnownNames {
  readonly #names = new Map<string, KnownName>();

  /** The first name of the same file; `undefined` where this is the first. */
  firstNameOf(node: TreeNode, path: ByteString): ByteString | undefined {
    if (node.links <= 1 || node.type === "dir") return undefined;
    const key = `${node.type} ${String(node.inode)}:${String(node.device_id)}`;
    const known = this.#names.get(key);
    // An inode that was given away during the backup is another file of another content.
    if (known === undefined || !isSameContent(known.content, node.content)) {
      this.#names.set(key, { path, content: node.content, namesSeen: 1 });
      return undefined;
    }
    if (++known.namesSeen >= node.links) this.#names.delete(key);
    return known.path;
  }
}

function isSameContent(a: KnownName["content"], b: KnownName["content"]): boolean {
  const [first, second] = [a ?? [], b ?? []];
  return first.length === second.length && first.every((id, i) => id === second[i]);
}
