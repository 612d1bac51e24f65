import { hash } from "node:crypto";
import type { ByteString, OperationOptions } from "@comeback/core";
import { damaged } from "@comeback/core";
import { BOX_OVERHEAD_BYTES } from "../crypto/box.ts";
import type { BlobPlace } from "../index/blob-table.ts";
import { walkSnapshot } from "../listing/walk-snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { TreeNode } from "../tree/types.ts";
import type { RepositoryStats, StatsCounter } from "./stats-types.ts";

/** What is counted of the nodes of snapshots. */
interface NodeCounting {
  startSnapshot?(): void;
  add(node: TreeNode, path: ByteString): void;
  result(): Omit<RepositoryStats, "snapshots_count">;
}

/** Counts by visiting all nodes of each snapshot. */
export class NodeCounter implements StatsCounter {
  readonly #repository: Repository;
  readonly #counting: NodeCounting;

  constructor(repository: Repository, counting: NodeCounting) {
    this.#repository = repository;
    this.#counting = counting;
  }

  async addSnapshot(snapshot: Snapshot, options: OperationOptions): Promise<void> {
    this.#counting.startSnapshot?.();
    const walk = walkSnapshot(this.#repository, snapshot.tree, { signal: options.signal });
    for await (const { node, path } of walk) this.#counting.add(node, path);
  }

  result(): Omit<RepositoryStats, "snapshots_count"> {
    return this.#counting.result();
  }
}

/** Bytes that a restore writes: every file, hard links of one file once. */
export class RestoreSize implements NodeCounting {
  #size = 0;
  #files = 0;
  #linked = new Set<string>();

  startSnapshot(): void {
    this.#linked = new Set();
  }

  add(node: TreeNode): void {
    this.#files++;
    if (node.links !== 1 && node.type !== "dir") {
      const identity = `${node.inode}:${node.device_id}`;
      if (this.#linked.has(identity) && BigInt(node.inode) !== 0n) return;
      this.#linked.add(identity);
    }
    this.#size += Number(node.size);
  }

  result(): Omit<RepositoryStats, "snapshots_count"> {
    return { total_size: this.#size, total_file_count: this.#files };
  }
}

/** Tells which nodes have a content that none before had. What has no content counts as one. */
class SeenContents {
  readonly #seen = new Set<string>();

  isNew(node: TreeNode): boolean {
    const content = node.content?.join("") ?? "";
    const id = hash("sha256", Buffer.from(content, "hex"), "latin1");
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    return true;
  }
}

/** Files of the same content once. */
export class UniqueFiles implements NodeCounting {
  readonly #contents = new SeenContents();
  #size = 0;
  #files = 0;

  add(node: TreeNode): void {
    if (!this.#contents.isNew(node)) return;
    this.#files++;
    this.#size += Number(node.size);
  }

  result(): Omit<RepositoryStats, "snapshots_count"> {
    return { total_size: this.#size, total_file_count: this.#files };
  }
}

/** Blobs of files, each once a path. */
export class BlobsPerFile implements NodeCounting {
  readonly #repository: Repository;
  readonly #contents = new SeenContents();
  readonly #blobsOfPath = new Map<ByteString, Set<string>>();
  #size = 0;
  #blobs = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  add(node: TreeNode, path: ByteString): void {
    if (!this.#contents.isNew(node) || !node.content || node.content.length === 0) return;
    const counted = this.#blobsOfPath.get(path) ?? new Set<string>();
    this.#blobsOfPath.set(path, counted);
    for (const id of node.content) {
      if (counted.has(id)) continue;
      const place = this.#repository.index.find("data", id)[0];
      if (place === undefined) {
        throw damaged(`data blob ${id.slice(0, 10)}`, "the index does not list it in any pack");
      }
      counted.add(id);
      this.#size += plaintextBytes(place);
      this.#blobs++;
    }
  }

  result(): Omit<RepositoryStats, "snapshots_count"> {
    return {
      total_size: this.#size,
      total_file_count: this.#blobsOfPath.size,
      total_blob_count: this.#blobs,
    };
  }
}

/** Bytes of a blob's plaintext. */
export function plaintextBytes(place: BlobPlace): number {
  const { length, uncompressedLength } = place;
  return uncompressedLength > 0 ? uncompressedLength : length - BOX_OVERHEAD_BYTES;
}
