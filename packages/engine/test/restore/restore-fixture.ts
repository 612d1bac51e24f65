import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Repository } from "../../src/repository/repository.ts";
import { restore } from "../../src/restore/restore.ts";
import type {
  RestoreOptions,
  RestoreProblem,
  RestoreResult,
  RestoredItem,
} from "../../src/restore/restore-options.ts";
import type { TreeNode } from "../../src/tree/types.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  type LooseBlob,
  node,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

/** Everything of a small snapshot: text is a file of one blob, a list a file of several. */
export interface Content {
  readonly [name: string]: string | readonly string[] | Content | TreeNode;
}

/** Tells a node that a test made itself from a folder's content. */
function isNode(value: Content | TreeNode): value is TreeNode {
  return typeof value["mtime"] === "string" && typeof value["mode"] === "number";
}

export const SYMLINK_MODE: number = (1 << 27) | 0o777;
export const FIFO_MODE: number = 1 << 25;

export function symlinkNode(name: string, linktarget: string): TreeNode {
  return node(name, { type: "symlink", mode: SYMLINK_MODE, linktarget });
}

/** A repository in memory, a folder for targets, and what lies outside of them. */
export class RestoreFixture implements AsyncDisposable {
  readonly builder: RepositoryBuilder;
  /** Removed in the end. */
  readonly folder: string;
  readonly target: string;
  readonly problems: RestoreProblem[] = [];
  readonly items: RestoredItem[] = [];
  #open: Repository | undefined;

  private constructor(builder: RepositoryBuilder, folder: string) {
    this.builder = builder;
    this.folder = folder;
    this.target = join(folder, "target");
  }

  static async create(version: 1 | 2 = 2): Promise<RestoreFixture> {
    const builder = await RepositoryBuilder.create({ version });
    return new RestoreFixture(builder, mkdtempSync(join(tmpdir(), "comeback-restore-")));
  }

  /** Stores a snapshot's content, data and trees in one pack each, and gives its tree. */
  async store(content: Content): Promise<LooseBlob> {
    const data: LooseBlob[] = [];
    const trees: LooseBlob[] = [];
    const top = collect(content, data, trees);
    await this.storeBlobs(data, trees);
    return top;
  }

  /** Stores blobs, a pack for each list, and an index of them. */
  async storeBlobs(...packs: (readonly LooseBlob[])[]): Promise<void> {
    const written = [];
    for (const blobs of packs) {
      const unique = new Map(blobs.map((blob) => [blob.id, blob]));
      if (unique.size > 0) written.push(await this.builder.pack(...unique.values()));
    }
    await this.builder.index(...written);
  }

  async restore(tree: LooseBlob, options: Partial<RestoreOptions> = {}): Promise<RestoreResult> {
    await this.#close();
    this.#open = await this.builder.reopen();
    await this.#open.loadIndex();
    this.problems.length = 0;
    this.items.length = 0;
    return restore({
      repository: this.#open,
      snapshot: { tree: tree.id },
      target: this.target,
      workers: 1,
      observer: {
        onProblem: (problem) => this.problems.push(problem),
        onItem: (item) => this.items.push(item),
      },
      ...options,
    });
  }

  path(...parts: string[]): string {
    return join(this.target, ...parts);
  }

  text(...parts: string[]): string {
    return readFileSync(this.path(...parts), "utf8");
  }

  makeTarget(...parts: string[]): string {
    const path = this.path(...parts);
    mkdirSync(path, { recursive: true });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.builder[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    await this.#open?.[Symbol.asyncDispose]();
    this.#open = undefined;
  }
}

function collect(content: Content, data: LooseBlob[], trees: LooseBlob[]): LooseBlob {
  const nodes = Object.entries(content).map(([name, value]): TreeNode => {
    if (typeof value === "string" || Array.isArray(value)) {
      const texts = typeof value === "string" ? [value] : (value as readonly string[]);
      const blobs = texts.filter((text) => text !== "").map((text) => dataBlob(text));
      data.push(...blobs);
      return fileNode(name, ...blobs);
    }
    const made = value as Content | TreeNode;
    return isNode(made) ? made : folderNode(name, collect(made, data, trees));
  });
  const tree = treeBlob(nodes.sort((a, b) => (a.name < b.name ? -1 : 1)));
  trees.push(tree);
  return tree;
}
