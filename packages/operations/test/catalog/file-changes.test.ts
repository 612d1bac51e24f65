import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileChange } from "@comeback/core";
import type { TreeNode } from "@comeback/engine";
import { fileChanges } from "@comeback/operations";
import { SeededRandom } from "@comeback/testkit";

const SEEDS = 200;

/** A folder: what is in it by name. A file is its content, a symlink begins with ">". */
interface Folder {
  readonly [name: string]: Folder | string;
}

/** Trees by ids that are their content, as a repository has them; counts those that are read. */
class Trees {
  readonly #trees = new Map<string, TreeNode[]>();
  read = 0;

  add(folder: Folder): string {
    const nodes = Object.entries(folder).map(([name, entry]) => this.#node(name, entry));
    const id = JSON.stringify(nodes);
    this.#trees.set(id, nodes);
    return id;
  }

  loadTree(id: string): Promise<TreeNode[]> {
    this.read++;
    const nodes = this.#trees.get(id);
    assert.ok(nodes !== undefined, "a tree that was added");
    return Promise.resolve([...nodes]);
  }

  #node(name: string, entry: Folder | string): TreeNode {
    const time = "2026-01-02T03:04:05.678912345+01:00";
    const all = { name, mode: 0o644, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
    const more = { user: "", group: "", inode: 1, device_id: 2, size: 0, links: 1 };
    if (typeof entry !== "string") {
      return { ...all, ...more, type: "dir", subtree: this.add(entry) };
    }
    if (entry.startsWith(">")) return { ...all, ...more, type: "symlink", linktarget: entry };
    return { ...all, ...more, type: "file", size: entry.length, content: [entry] };
  }
}

function flat(folder: Folder, path = ""): Map<string, string> {
  return new Map(
    Object.entries(folder).flatMap(([name, entry]): [string, string][] =>
      typeof entry === "string"
        ? [[`${path}/${name}`, entry]]
        : [...flat(entry, `${path}/${name}`)],
    ),
  );
}

function randomFolder(random: SeededRandom, depth: number): Folder {
  const folder: Record<string, Folder | string> = {};
  for (const name of ["a", "b", "c"]) {
    const kind = random.integer(0, 9);
    if (kind < 3 && depth > 0) folder[name] = randomFolder(random, depth - 1);
    else if (kind < 6) folder[name] = `content ${random.integer(1, 3)}`;
    else if (kind === 6) folder[name] = `> ${random.integer(1, 2)}`;
  }
  return folder;
}

async function changesBetween(
  trees: Trees,
  before: string | undefined,
  after: string,
): Promise<FileChange[]> {
  return await Array.fromAsync(fileChanges({ repository: trees, before, after }));
}

test("the changes between two trees are those of their files, each once", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new SeededRandom(seed);
    const trees = new Trees();
    const [first, second] = [randomFolder(random, 3), randomFolder(random, 3)];
    const changes = await changesBetween(trees, trees.add(first), trees.add(second));
    const [old, now] = [flat(first), flat(second)];
    const paths = [...new Set([...old.keys(), ...now.keys()])];
    const expected = paths.filter((path) => old.get(path) !== now.get(path));
    const found = changes.map(({ path }) => path);
    assert.deepEqual(found.toSorted(), expected.toSorted(), `seed ${seed}`);
    for (const { path, version } of changes) {
      assert.equal(version === undefined, !now.has(path), `seed ${seed}, ${path}`);
    }
    const all = await changesBetween(trees, undefined, trees.add(second));
    assert.deepEqual(all.map(({ path }) => path).toSorted(), [...now.keys()].toSorted());
    assert.ok(all.every(({ version }) => version !== undefined));
  }
});

test("only folders that differ are read, and equal content has an equal hash", async () => {
  const trees = new Trees();
  const same = { x: "1", y: { z: "2" } };
  const before = trees.add({ same, other: { file: "1" }, third: same });
  const after = trees.add({ same, other: { file: "2", copy: "1" }, third: same });
  const changes = await changesBetween(trees, before, after);
  assert.equal(trees.read, 4, "the roots, and `other` of both");
  assert.deepEqual(changes.map(({ path }) => path).toSorted(), ["/other/copy", "/other/file"]);
  trees.read = 0;
  assert.deepEqual(await changesBetween(trees, after, after), []);
  assert.equal(trees.read, 0);
  const all = await changesBetween(trees, undefined, after);
  const versionOf = (wanted: string) => all.find(({ path }) => path === wanted)?.version;
  assert.deepEqual(versionOf("/other/copy"), versionOf("/same/x"));
  assert.equal(versionOf("/same/x")?.modifiedAtMs, Date.UTC(2026, 0, 2, 2, 4, 5, 678));
  assert.notEqual(versionOf("/same/y/z")?.contentHash, versionOf("/same/x")?.contentHash);
});
