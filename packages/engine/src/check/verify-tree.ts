import {
  type ByteString,
  CHECK_DETAILS_KEPT_MAX,
  displayText,
  isComebackError,
  messageOf,
} from "@comeback/core";
import { type BlobTable, type BlobType, idWords } from "../index/blob-table.ts";
import { decodeTree } from "../tree/decode.ts";
import type { TreeNode } from "../tree/types.ts";
import type { TreeFinding } from "./tasks.ts";

/** Collects what the trees of one pack lead to, for the main thread, in few and flat arrays. */
export class TreeVerifier {
  readonly findings: TreeFinding[] = [];
  readonly #table: BlobTable;
  readonly #words = new Uint32Array(8);
  #edges: Uint32Array<ArrayBuffer> = new Uint32Array(1024);
  #length = 0;

  constructor(table: BlobTable) {
    this.#table = table;
  }

  edges(): Uint32Array<ArrayBuffer> {
    return this.#edges.slice(0, this.#length);
  }

  /** Reads a tree whose id has been checked, and everything in it that the format asks for. */
  verify(entry: number, plaintext: Uint8Array): void {
    const tree = this.#table.canonical(entry);
    let nodes: TreeNode[];
    try {
      nodes = decodeTree(plaintext);
    } catch (error) {
      if (!isComebackError(error)) throw error;
      this.findings.push({ tree, why: error.why ?? messageOf(error) });
      return;
    }
    const start = this.#length;
    this.#push(tree);
    this.#push(0);
    let previous: ByteString | undefined;
    let kept = 0;
    let count = 0;
    const report = (finding: TreeFinding): void => {
      count++;
      if (kept++ < CHECK_DETAILS_KEPT_MAX) this.findings.push(finding);
    };
    for (const node of nodes) {
      // restic design, "Trees and Data": strictly ascending by raw name; a double would hide one.
      if (previous !== undefined && node.name <= previous) {
        const why = node.name === previous ? "two entries are called" : "not in order:";
        report({ tree, nodeName: node.name, why: `${why} ${quoted(node.name)}` });
      }
      previous = node.name;
      this.#verifyNode(tree, node, report);
    }
    if (count > kept) this.findings.push({ tree, why: `${count - kept} more entries are damaged` });
    this.#edges[start + 1] = this.#length - start - 2;
  }

  #verifyNode(tree: number, node: TreeNode, report: (finding: TreeFinding) => void): void {
    const nodeName = node.name;
    switch (node.type) {
      case "file":
        if (!Array.isArray(node.content)) {
          report({ tree, nodeName, why: `file ${quoted(nodeName)} has no list of blobs` });
          break;
        }
        for (const id of node.content) {
          if (this.#find("data", id) >= 0) continue;
          const why = `data blob ${id.slice(0, 10)} of file ${quoted(nodeName)} is not in the index`;
          report({ tree, nodeName, why, missing: { type: "data", id } });
        }
        break;
      case "dir":
        this.#verifyFolder(tree, node, report);
        break;
      case "unknown":
        report({ tree, nodeName, why: `${quoted(nodeName)} is of no known type` });
        break;
      case "symlink":
      case "dev":
      case "chardev":
      case "fifo":
      case "socket":
        break;
    }
  }

  #verifyFolder(tree: number, node: TreeNode, report: (finding: TreeFinding) => void): void {
    const nodeName = node.name;
    if (node.subtree === undefined) {
      report({ tree, nodeName, why: `folder ${quoted(nodeName)} has no tree` });
      return;
    }
    const entry = this.#find("tree", node.subtree);
    if (entry >= 0) {
      this.#push(entry);
      return;
    }
    const why = `tree ${node.subtree.slice(0, 10)} of folder ${quoted(nodeName)} is not in the index`;
    report({ tree, nodeName, why, missing: { type: "tree", id: node.subtree } });
  }

  #find(type: BlobType, id: string): number {
    return this.#table.find(type, idWords(id, this.#words));
  }

  #push(value: number): void {
    if (this.#length === this.#edges.length) {
      const larger = new Uint32Array(this.#edges.length * 2);
      larger.set(this.#edges);
      this.#edges = larger;
    }
    this.#edges[this.#length++] = value;
  }
}

function quoted(name: ByteString): string {
  return JSON.stringify(displayText(name));
}
