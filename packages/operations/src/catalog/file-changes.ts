import { createHash } from "node:crypto";
import type { ByteString, FileChange, OperationOptions } from "@comeback/core";
import type { Repository, TreeNode } from "@comeback/engine";

/** Of a SHA-256: that two contents are taken for one is less likely than any other fault. */
const HASH_HEX_DIGITS = 32;

export interface FileChangesOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Pick<Repository, "loadTree">;
  /** The tree to compare with; without one, everything below `after` is a change. */
  readonly before?: string | undefined;
  readonly after: string;
}

/**
 * The files and symlinks that are new, changed or gone between two trees of a repository, by their
 * paths in it. Only folders that differ are read, and at most those on the way to one are held.
 * Attributes alone are no change; a time is. Rejects at a folder that is damaged.
 */
export async function* fileChanges(
  options: FileChangesOptions,
): AsyncGenerator<FileChange, void, undefined> {
  if (options.before === options.after) return;
  const stack = [await openPair(options, { path: "", ...options })];
  for (let folder = stack.at(-1); folder !== undefined; folder = stack.at(-1)) {
    const { value: pair, done } = folder.pairs.next();
    if (done === true) {
      stack.pop();
      continue;
    }
    const [before, after] = pair;
    const path = `${folder.path}/${(after ?? before)?.name}`;
    const [old, now] = [versionOf(before), versionOf(after)];
    if (now !== undefined && !isSame(old, now)) yield { path, version: now };
    if (now === undefined && old !== undefined) yield { path };
    const trees = { path, before: subtreeOf(before), after: subtreeOf(after) };
    if (trees.before !== trees.after) stack.push(await openPair(options, trees));
  }
}

type Version = NonNullable<FileChange["version"]>;
type NodePair = readonly [TreeNode | undefined, TreeNode | undefined];

interface FolderPair {
  readonly path: ByteString;
  readonly pairs: Iterator<NodePair, undefined>;
}

async function openPair(
  { repository, signal }: FileChangesOptions,
  folder: {
    readonly path: ByteString;
    readonly before?: string | undefined;
    readonly after?: string | undefined;
  },
): Promise<FolderPair> {
  signal?.throwIfAborted();
  const load = async (tree: string | undefined): Promise<TreeNode[]> =>
    tree === undefined ? [] : await repository.loadTree(tree, { signal });
  const [before, after] = await Promise.all([load(folder.before), load(folder.after)]);
  return { path: folder.path, pairs: pairsByName(before, after) };
}

function* pairsByName(
  before: readonly TreeNode[],
  after: readonly TreeNode[],
): Generator<NodePair, undefined> {
  const old = new Map(before.map((node) => [node.name, node]));
  for (const node of after) {
    yield [old.get(node.name), node];
    old.delete(node.name);
  }
  for (const node of old.values()) yield [node, undefined];
  return undefined;
}

function subtreeOf(node: TreeNode | undefined): string | undefined {
  return node?.type === "dir" ? node.subtree : undefined;
}

function versionOf(node: TreeNode | undefined): Version | undefined {
  if (node === undefined) return undefined;
  const content = contentOf(node);
  if (content === undefined) return undefined;
  const hash = createHash("sha256").update(content, "latin1").digest("hex");
  const modifiedAtMs = Date.parse(node.mtime);
  return {
    sizeBytes: Number(node.size),
    modifiedAtMs: Number.isNaN(modifiedAtMs) ? 0 : modifiedAtMs,
    contentHash: hash.slice(0, HASH_HEX_DIGITS),
  };
}

/** What tells one content from another; none for what has no content. */
function contentOf(node: TreeNode): string | undefined {
  if (node.type === "file") return `file ${(node.content ?? []).join(" ")}`;
  return node.type === "symlink" ? `symlink ${node.linktarget ?? ""}` : undefined;
}

function isSame(a: Version | undefined, b: Version): boolean {
  return (
    a?.contentHash === b.contentHash &&
    a.sizeBytes === b.sizeBytes &&
    a.modifiedAtMs === b.modifiedAtMs
  );
}
