import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildTree, directory, type EntrySpec, treeOf } from "@comeback/testkit";
import fc from "fast-check";
import { dataBlob, fileNode, type LooseBlob, node, treeBlob } from "../repository-builder.ts";
import { type Content, RestoreFixture, symlinkNode } from "./restore-fixture.ts";

/** What must stay as it is, beside the target. */
function makeOutside(fixture: RestoreFixture): string {
  const outside = join(fixture.folder, "outside");
  mkdirSync(join(outside, "d", "e"), { recursive: true });
  writeFileSync(join(outside, "f"), "not yours");
  writeFileSync(join(outside, "d", "f"), "not yours either");
  return outside;
}

/** Every name, content, mode, owner and time below a folder. */
function fingerprint(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return ["", ...names].map((name) => {
    const path = join(folder, name);
    const { mode, uid, gid, size, nlink, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    const content = statSync(path).isFile() ? readFileSync(path, "utf8") : "";
    return [name, mode, uid, gid, size, nlink, mtimeNs, ctimeNs, content].join(" ");
  });
}

const SNAPSHOT: Content = { d: { e: { f: "deep" }, f: "middle" }, f: "top" };

for (const planted of ["d", "d/e", "d/f", "d/e/f", "f"]) {
  test(`a symlink planted at ${planted} is not followed`, async () => {
    await using fixture = await RestoreFixture.create();
    const outside = makeOutside(fixture);
    const tree = await fixture.store(SNAPSHOT);
    const path = fixture.path(planted);
    mkdirSync(join(path, ".."), { recursive: true });
    symlinkSync(join(outside, planted), path);
    const before = fingerprint(outside);
    const result = await fixture.restore(tree, { delete: true });
    assert.deepEqual(result.problemsKept, []);
    assert.deepEqual(fingerprint(outside), before);
    assert.equal(lstatSync(path).isSymbolicLink(), false);
    assert.equal(fixture.text("d", "e", "f"), "deep");
    assert.equal(fixture.text("d", "f"), "middle");
    assert.equal(fixture.text("f"), "top");
  });
}

test("symlinks that the snapshot itself has are not followed", async () => {
  await using fixture = await RestoreFixture.create();
  const outside = makeOutside(fixture);
  // A tree that gives one name twice: first as a link that leads outside, then as a folder.
  const content = dataBlob("evil");
  const inner = treeBlob([fileNode("f", content)]);
  const twice = [
    symlinkNode("d", outside),
    node("d", { type: "dir", mode: 2 ** 31 + 0o755, links: 0, subtree: inner.id }),
    symlinkNode("f", join(outside, "f")),
    fileNode("f", content),
  ];
  const tree = treeBlob(twice);
  await fixture.storeBlobs([content], [inner, tree]);
  const before = fingerprint(outside);
  const result = await fixture.restore(tree);
  assert.deepEqual(fingerprint(outside), before);
  assert.equal(result.problems, 2);
  assert.deepEqual(result.problemsKept.map(({ path }) => path).sort(), ["/d", "/f"]);
});

test("the target itself may be a symlink, for the user chose it", async () => {
  await using fixture = await RestoreFixture.create();
  const real = join(fixture.folder, "real");
  mkdirSync(real);
  symlinkSync(real, fixture.target);
  await fixture.restore(await fixture.store({ f: "content" }));
  assert.equal(readFileSync(join(real, "f"), "utf8"), "content");
  assert.equal(lstatSync(fixture.target).isSymbolicLink(), true);
});

test("hostile names are refused and named, the others are restored", async () => {
  await using fixture = await RestoreFixture.create();
  const outside = makeOutside(fixture);
  const before = fingerprint(outside);
  const content = dataBlob("evil");
  const names = ["", ".", "..", "../outside/f", "/etc/evil", "a/b", "nul\\x00", "bad\\q"];
  const good = JSON.stringify(fileNode("good", content));
  const evil = names.map((name) => JSON.stringify({ ...fileNode("x", content), name }));
  const tree: LooseBlob = treeBlob(`{"nodes":[${[...evil, good, "17", "null"].join(",")}]}\n`);
  await fixture.storeBlobs([content], [tree]);
  fixture.makeTarget();
  writeFileSync(fixture.path("stays"), "");
  const result = await fixture.restore(tree, { delete: true });
  assert.equal(result.problems, names.length + 2);
  assert.ok(result.problemsKept.every(({ message }) => message.startsWith("an entry is refused")));
  // With a name that cannot be trusted, nothing counts as surplus.
  assert.deepEqual(readdirSync(fixture.target).sort(), ["good", "stays"]);
  assert.deepEqual(fingerprint(outside), before);
  assert.equal(existsSync("/etc/evil"), false);
});

type Planted = "nothing" | "file" | "folder" | "link out" | "link to folder" | "fifo";

const PLACES = ["d", "f", "d/e", "d/f", "d/e/f"];

/** What is planted below a place, which is a real folder. */
function plantedIn(
  folder: string,
  planted: readonly Planted[],
  outside: string,
): Record<string, EntrySpec> {
  const entries: Record<string, EntrySpec> = {};
  for (const [i, place] of PLACES.entries()) {
    const name = place.slice(place.lastIndexOf("/") + 1);
    if (join(folder, name) !== place) continue;
    const kinds: Readonly<Record<Planted, EntrySpec | undefined>> = {
      nothing: undefined,
      file: { type: "file", content: "in the way" },
      folder: directory(plantedIn(place, planted, outside)),
      "link out": { type: "symlink", target: join(outside, "f") },
      "link to folder": { type: "symlink", target: join(outside, "d") },
      fifo: { type: "fifo" },
    };
    const entry = kinds[planted[i] as Planted];
    if (entry !== undefined) entries[name] = entry;
  }
  return entries;
}

test("whatever is planted in the target, nothing outside changes (property)", async () => {
  await using fixture = await RestoreFixture.create();
  const outside = makeOutside(fixture);
  const tree = await fixture.store(SNAPSHOT);
  const before = fingerprint(outside);
  const kinds: Planted[] = ["nothing", "file", "folder", "link out", "link to folder", "fifo"];
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.tuple(...PLACES.map(() => fc.constantFrom(...kinds))), async (planted) => {
      const target = join(fixture.folder, `target ${run++}`);
      buildTree(target, treeOf(plantedIn("", planted, outside)));
      const result = await fixture.restore(tree, { target, delete: true });
      assert.deepEqual(result.problemsKept, []);
      assert.deepEqual(fingerprint(outside), before);
      assert.equal(readFileSync(join(target, "d", "e", "f"), "utf8"), "deep");
      assert.equal(readFileSync(join(target, "d", "f"), "utf8"), "middle");
      assert.equal(readFileSync(join(target, "f"), "utf8"), "top");
    }),
    { seed: 7, numRuns: 25 },
  );
});
