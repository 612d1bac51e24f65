import assert from "node:assert/strict";
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { changeData, damageData, isBystanderUntouched } from "../../src/try/change-data.ts";
import { changedSince } from "../../src/try/changed-since.ts";
import { compareTrees } from "../../src/try/compare-trees.ts";
import { makeData, SMALL_SCALE } from "../../src/try/make-data.ts";
import { removeTree } from "../../src/try/remove-tree.ts";
import { type ScannedEntry, type ScannedTree, scanTree } from "../../src/try/scan-tree.ts";

const { signal } = new AbortController();
const EVERYTHING = { ownersMatter: true };
let scratch: string;
before(() => (scratch = mkdtempSync(join(tmpdir(), "comeback-try-test-"))));
after(() => rmSync(scratch, { recursive: true, force: true }));

test("the data that is made is varied, and equal to itself", async () => {
  const root = `${scratch}/data`;
  await makeData(root, SMALL_SCALE, signal);
  const tree = await scanTree(root, { signal });
  const again = await scanTree(root, { signal });
  const same = compareTrees(tree, again, EVERYTHING);
  assert.deepEqual(same.differences, []);
  assert.equal(same.comparedEntries, tree.size);
  const entries = [...tree.values()];
  for (const has of [
    (entry: ScannedEntry) => entry.linkTarget !== undefined,
    (entry: ScannedEntry) => entry.sameFileAs !== undefined,
    (entry: ScannedEntry) => entry.mtime.seconds < 0,
    (entry: ScannedEntry) => (entry.mode & 0o7000) !== 0,
    (entry: ScannedEntry) => entry.sizeBytes === 0,
  ]) {
    assert.ok(entries.some(has), String(has));
  }
  assert.ok([...tree.keys()].some((path) => /[\x80-\xff]/.test(path)));
  assert.ok([...tree.keys()].some((path) => path.length > 1_500));
});

test("a day's changes and a bad day are both seen, and stay inside", async () => {
  const root = `${scratch}/changed`;
  await makeData(root, SMALL_SCALE, signal);
  const first = await scanTree(root, { signal });
  const changes = changeData(root, SMALL_SCALE);
  const second = await scanTree(root, { signal });
  const { differences } = compareTrees(first, second, EVERYTHING);
  assert.ok(differences.length >= changes.edited + changes.added + changes.removed);
  const damage = damageData(root, SMALL_SCALE, `${scratch}/outside`);
  assert.ok(isBystanderUntouched(damage));
  const third = await scanTree(root, { signal });
  assert.ok(compareTrees(second, third, EVERYTHING).differences.length > damage.encrypted);
  writeFileSync(damage.bystander, "overwritten");
  assert.equal(isBystanderUntouched(damage), false);
});

function tree(entries: Readonly<Record<string, Partial<ScannedEntry>>>): ScannedTree {
  const plain: ScannedEntry = {
    mode: 0o100644,
    uid: 1,
    gid: 1,
    mtime: { seconds: 1, nanoseconds: 1 },
    sizeBytes: 1,
    content: "x",
    linkTarget: undefined,
    device: undefined,
    attributes: "",
    sameFileAs: undefined,
    unreadable: undefined,
  };
  return new Map(Object.entries(entries).map(([path, more]) => [path, { ...plain, ...more }]));
}

test("every single attribute that differs is told", () => {
  const cases: readonly [Partial<ScannedEntry>, string][] = [
    [{ mode: 0o100600 }, "kind or permissions"],
    [{ uid: 2 }, "owner"],
    [{ gid: 2 }, "group"],
    [{ sizeBytes: 2 }, "size"],
    [{ content: "y" }, "content"],
    [{ mtime: { seconds: 1, nanoseconds: 2 } }, "modification time"],
    [{ mtime: { seconds: 2, nanoseconds: 1 } }, "modification time"],
    [{ linkTarget: "z" }, "link target"],
    [{ device: "1" }, "device number"],
    [{ attributes: "user.x=" }, "extended attributes"],
    [{ sameFileAs: "b" }, "hard links"],
  ];
  for (const [change, word] of cases) {
    const { differences } = compareTrees(tree({ a: {} }), tree({ a: change }), EVERYTHING);
    assert.deepEqual(differences, [{ path: "a", what: [word] }]);
  }
});

test("missing and additional entries are told; what was unreadable proves nothing", () => {
  const { differences, unreadable, comparedEntries } = compareTrees(
    tree({ gone: {}, secret: { unreadable: "no permission" } }),
    tree({ extra: {} }),
    EVERYTHING,
  );
  assert.deepEqual(differences, [
    { path: "gone", what: ["missing"] },
    { path: "extra", what: ["not there before"] },
  ]);
  assert.deepEqual(unreadable, ["secret"]);
  assert.equal(comparedEntries, 1);
});

test("without the superuser, owners cannot come back and are no difference", () => {
  const other = tree({ a: { uid: 2, gid: 2 } });
  assert.deepEqual(compareTrees(tree({ a: {} }), other, { ownersMatter: false }).differences, []);
});

test("a folder is removed with everything in it, and nothing that its links lead to", async () => {
  const root = `${scratch}/doomed`;
  await makeData(root, SMALL_SCALE, signal);
  changeData(root, SMALL_SCALE);
  damageData(root, SMALL_SCALE, `${scratch}/bystanders`);
  removeTree(root);
  assert.equal(lstatSync(root, { throwIfNoEntry: false }), undefined);
  assert.match(readFileSync(`${scratch}/bystanders/topic-0/note-0000.txt`, "utf8"), /business/);
  removeTree(root);
});

test("whether something changed is also seen of what is gone", () => {
  const before = Date.now() - 60_000;
  const later = Date.now() + 60_000;
  writeFileSync(`${scratch}/live`, "");
  assert.equal(changedSince(`${scratch}/live`, before), true);
  assert.equal(changedSince(`${scratch}/live`, later), false);
  assert.equal(changedSince(`${scratch}/gone/for/long`, before), true);
  assert.equal(changedSince("/proc/self/nothing", later), false);
});
