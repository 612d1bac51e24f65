import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DiffOptions, DiffStatistics } from "../../src/diff/diff-options.ts";
import { diffTrees } from "../../src/diff/diff-trees.ts";
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

interface Outcome {
  readonly changes: string[];
  readonly problems: string[];
  readonly statistics: DiffStatistics;
}

async function compare(
  before: LooseBlob,
  after: LooseBlob,
  stored: readonly LooseBlob[],
  more: Partial<DiffOptions> = {},
): Promise<Outcome> {
  await using builder = await RepositoryBuilder.create();
  await builder.index(await builder.pack(...stored));
  const { repository } = builder;
  await repository.loadIndex();
  const changes: string[] = [];
  const problems: string[] = [];
  const statistics = await diffTrees({
    repository,
    before: before.id,
    after: after.id,
    onChange: ({ path, modifier }) => changes.push(`${modifier} ${path}`),
    onProblem: ({ message }) => problems.push(message),
    ...more,
  });
  return { changes, problems, statistics };
}

const NOTHING = { files: 0, dirs: 0, others: 0, dataBlobs: 0, treeBlobs: 0, bytes: 0 };
const a = dataBlob("aaaa");
const b = dataBlob("bb");

describe("comparing trees", () => {
  it("tells each kind of change, folders with all that is in them", async () => {
    const gone = treeBlob([fileNode("x", b), node("l", { type: "symlink", linktarget: "y" })]);
    const newer = { mtime: "2026-02-02T00:00:00Z" };
    const before = treeBlob([
      folderNode("d", gone),
      fileNode("meta", a),
      fileNode("rot", a),
      fileNode("same", a),
      fileNode("type", a),
    ]);
    const after = treeBlob([
      fileNode("a new one", b),
      { ...fileNode("meta", a), ...newer },
      { ...fileNode("rot", b), size: 4 },
      fileNode("same", a),
      node("type", { type: "symlink", linktarget: "meta" }),
    ]);
    const stored = [a, b, gone, before, after];
    const { changes, statistics } = await compare(before, after, stored);
    assert.deepEqual(changes, ["+ /a new one", "- /d/", "- /d/l", "- /d/x", "M? /rot", "T /type"]);
    assert.equal(statistics.changedFiles, 1);
    const { dataBlobs, treeBlobs, ...removed } = statistics.removed;
    assert.deepEqual([dataBlobs, treeBlobs], [0, 2]);
    assert.deepEqual(removed, {
      files: 1,
      dirs: 1,
      others: 1,
      bytes: gone.plaintext.length + before.plaintext.length,
    });
    const metadata = await compare(before, after, stored, { metadata: true });
    assert.deepEqual(metadata.changes.slice(-3), ["U /meta", "M? /rot", "TU /type"]);
  });

  it("takes times of other zones for the same, and a list for another than none", async () => {
    const before = treeBlob([
      { ...fileNode("f", a), mtime: "2026-01-02T03:04:05.678Z" },
      node("n", { content: [] }),
    ]);
    const after = treeBlob([
      { ...fileNode("f", a), mtime: "2026-01-02T05:04:05.678+02:00" },
      node("n", { content: null }),
    ]);
    const { changes } = await compare(before, after, [a, before, after], { metadata: true });
    assert.deepEqual(changes, ["M? /n"]);
  });

  it("counts no blob as new that an equal folder has as well", async () => {
    const equal = treeBlob([fileNode("has b", b)]);
    const before = treeBlob([folderNode("equal", equal)]);
    const after = treeBlob([folderNode("equal", equal), fileNode("also b", b)]);
    const { statistics } = await compare(before, after, [b, equal, before, after]);
    const bytes = after.plaintext.length;
    assert.deepEqual(statistics.added, { ...NOTHING, files: 1, treeBlobs: 1, bytes });
  });

  it("does not even load folders that are equal, where nothing is new", async () => {
    const missing = treeBlob([fileNode("x", a)]);
    const root = treeBlob([folderNode("equal", missing)]);
    const { changes, problems, statistics } = await compare(root, root, [root]);
    assert.deepEqual([changes, problems], [[], []]);
    assert.deepEqual(statistics.added, NOTHING);
  });

  it("names a folder that cannot be read, and compares the rest", async () => {
    const missing = treeBlob([fileNode("x", a)]);
    const other = treeBlob([fileNode("y", a)]);
    const before = treeBlob([folderNode("bad", missing), fileNode("f", a)]);
    const after = treeBlob([folderNode("bad", other), fileNode("g", a)]);
    const outcome = await compare(before, after, [a, other, before, after]);
    assert.deepEqual(outcome.changes, ["- /f", "+ /g"]);
    assert.ok(outcome.problems.includes("the listing of /bad/ is damaged"));
    assert.equal(outcome.statistics.problems, outcome.problems.length);
  });

  it("names blobs that the index does not list, and counts them without a size", async () => {
    const before = treeBlob([]);
    const after = treeBlob([fileNode("f", b)]);
    const outcome = await compare(before, after, [before, after]);
    assert.equal(outcome.statistics.added.dataBlobs, 1);
    assert.equal(outcome.statistics.added.bytes, after.plaintext.length);
    assert.deepEqual(outcome.problems, [`blob ${b.id.slice(0, 10)} is damaged`]);
  });

  it("is the same backwards, with signs exchanged", async () => {
    const shared: TreeNode = fileNode("same", a);
    const before = treeBlob([fileNode("only before", a), shared]);
    const after = treeBlob([fileNode("only after", b), shared]);
    const stored = [a, b, before, after];
    const there = await compare(before, after, stored);
    const back = await compare(after, before, stored);
    assert.deepEqual(there.statistics.added, back.statistics.removed);
    assert.deepEqual(there.statistics.removed, back.statistics.added);
  });
});
