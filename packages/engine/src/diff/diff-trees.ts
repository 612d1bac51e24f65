import type { ByteString, ComebackError } from "@comeback/core";
import { damaged, displayText, isComebackError } from "@comeback/core";
import type { TreeNode } from "../tree/types.ts";
import { addTreeBelow, BlobSide, countBlobs, isAnyBlobDifferent } from "./diff-blobs.ts";
import type { DiffCounts, DiffOptions, DiffStatistics } from "./diff-options.ts";
import { isSameButContent, isSameContent } from "./same-node.ts";

/**
 * What differs between two trees, and how much it adds and takes away. Only folders whose trees
 * differ are walked, unless it has to be known whether what is new there is also in one of the
 * others: then those are, each once.
 */
export async function diffTrees(options: DiffOptions): Promise<DiffStatistics> {
  return new TreeComparison(options).run();
}

class TreeComparison {
  readonly #options: DiffOptions;
  readonly #before: BlobSide;
  readonly #after: BlobSide;
  readonly #added = noCounts();
  readonly #removed = noCounts();
  readonly #equalTrees: string[] = [];
  readonly #equalSeen: BlobSide;
  #changedFiles = 0;
  #problems = 0;

  constructor(options: DiffOptions) {
    this.#options = options;
    this.#before = new BlobSide(options.repository);
    this.#after = new BlobSide(options.repository);
    this.#equalSeen = new BlobSide(options.repository);
  }

  async run(): Promise<DiffStatistics> {
    const { before, after, repository } = this.#options;
    this.#before.add("tree", before);
    this.#after.add("tree", after);
    await this.#compareTrees("/", before, after);
    const common = await this.#commonBlobs();
    const sides = { side: this.#before, other: this.#after, common };
    const unknown = [
      ...countBlobs(repository, sides, this.#removed),
      ...countBlobs(repository, { ...sides, side: this.#after, other: this.#before }, this.#added),
    ];
    for (const id of unknown) {
      this.#problem(damaged(`blob ${id.slice(0, 10)}`, "the index does not list it in any pack"));
    }
    return {
      changedFiles: this.#changedFiles,
      added: this.#added,
      removed: this.#removed,
      problems: this.#problems,
    };
  }

  /** The blobs of folders that are equal on both sides, as far as they matter. */
  async #commonBlobs(): Promise<BlobSide> {
    const { repository, signal } = this.#options;
    const blobs = new BlobSide(repository);
    if (!isAnyBlobDifferent(repository, this.#before, this.#after)) return blobs;
    const walked = new BlobSide(repository);
    for (const tree of this.#equalTrees) {
      await this.#guard("a folder that did not change", () =>
        addTreeBelow(repository, tree, { blobs, walked, signal }),
      );
    }
    return blobs;
  }

  /** Compares two trees of one folder; `folder` ends with a slash. */
  async #compareTrees(folder: ByteString, before: string, after: string): Promise<void> {
    this.#options.onFolder?.(folder);
    const [first, second] = await Promise.all([this.#load(before), this.#load(after)]);
    for (const [a, b] of pairs(first, second)) {
      if (a !== undefined) this.#before.addNode(a);
      if (b !== undefined) this.#after.addNode(b);
      if (a === undefined && b !== undefined) {
        await this.#whole(folder, b, { modifier: "+", counts: this.#added, blobs: this.#after });
      } else if (b === undefined && a !== undefined) {
        await this.#whole(folder, a, { modifier: "-", counts: this.#removed, blobs: this.#before });
      } else if (a !== undefined && b !== undefined) {
        await this.#compareNodes(folder, a, b);
      }
    }
  }

  async #compareNodes(folder: ByteString, a: TreeNode, b: TreeNode): Promise<void> {
    const path = pathOf(folder, b);
    const modifier = this.#modifierOf(a, b);
    if (modifier !== "") this.#options.onChange?.({ path, modifier });
    if (a.type !== "dir" || b.type !== "dir") return;
    const [before, after] = [a.subtree, b.subtree];
    if (before === undefined || after === undefined) {
      this.#problem(damaged(`the folder ${displayText(path)}`, "its entry names no tree"));
    } else if (before !== after) {
      await this.#guard(path, () => this.#compareTrees(path, before, after));
    } else if (this.#equalSeen.add("tree", after)) {
      this.#equalTrees.push(after);
    }
  }

  #modifierOf(a: TreeNode, b: TreeNode): string {
    let modifier = a.type === b.type ? "" : "T";
    if (a.type === "file" && b.type === "file" && !isSameContent(a, b)) {
      this.#changedFiles++;
      // The disk gave other bytes of a file that nobody has touched since.
      modifier += isSameButContent(a, b) ? "M?" : "M";
    } else if (this.#options.metadata === true) {
      if (!isSameButContent(a, b) || !isSameContent(a, b)) modifier += "U";
    }
    return modifier;
  }

  /** An entry that is on one side only, with everything below it. */
  async #whole(folder: ByteString, node: TreeNode, side: Side): Promise<void> {
    const path = pathOf(folder, node);
    const { modifier, counts, blobs } = side;
    this.#options.onChange?.({ path, modifier });
    counts[node.type === "file" ? "files" : node.type === "dir" ? "dirs" : "others"]++;
    const { subtree } = node;
    if (node.type !== "dir") return;
    await this.#guard(path, async () => {
      if (subtree === undefined) throw damaged("its entry", "it names no tree");
      for (const child of await this.#load(subtree)) {
        blobs.addNode(child);
        await this.#whole(path, child, side);
      }
    });
  }

  async #load(tree: string): Promise<TreeNode[]> {
    const { repository, signal } = this.#options;
    signal?.throwIfAborted();
    const nodes = await repository.loadTree(tree, { signal });
    return nodes.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Does what damage of one folder must not end. */
  async #guard(path: ByteString, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isComebackError(error, "repository.damaged")) throw error;
      const why = `${error.message}: ${error.why ?? ""}`;
      this.#problem(damaged(`the listing of ${displayText(path)}`, why, error));
    }
  }

  #problem(error: ComebackError): void {
    this.#problems++;
    this.#options.onProblem?.(error);
  }
}

interface Side {
  readonly modifier: string;
  readonly counts: DiffCounts;
  readonly blobs: BlobSide;
}

function noCounts(): DiffCounts {
  return { files: 0, dirs: 0, others: 0, dataBlobs: 0, treeBlobs: 0, bytes: 0 };
}

function pathOf(folder: ByteString, node: TreeNode): ByteString {
  return `${folder}${node.name}${node.type === "dir" ? "/" : ""}`;
}

/** The entries of two lists side by side, both in the order of their names. */
function* pairs(
  first: readonly TreeNode[],
  second: readonly TreeNode[],
): Generator<[TreeNode | undefined, TreeNode | undefined]> {
  let i = 0;
  let j = 0;
  while (i < first.length || j < second.length) {
    const a = first[i];
    const b = second[j];
    const isFirst = b === undefined || (a !== undefined && a.name <= b.name);
    const isSecond = a === undefined || (b !== undefined && b.name <= a.name);
    if (isFirst) i++;
    if (isSecond) j++;
    yield [isFirst ? a : undefined, isSecond ? b : undefined];
  }
}
