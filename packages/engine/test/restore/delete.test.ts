import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { flipBit } from "../repository-builder.ts";
import { RestoreFixture } from "./restore-fixture.ts";

async function surplusFixture(): Promise<RestoreFixture> {
  const fixture = await RestoreFixture.create();
  fixture.makeTarget("d", "surplus folder", "with");
  writeFileSync(fixture.path("d", "surplus folder", "with", "content"), "x");
  writeFileSync(fixture.path("surplus file"), "x");
  writeFileSync(fixture.path("d", "surplus.txt"), "x");
  mkdirSync(join(fixture.folder, "outside"));
  writeFileSync(join(fixture.folder, "outside", "f"), "x");
  symlinkSync("../outside", fixture.path("surplus link"));
  return fixture;
}

test("what the snapshot does not have goes, and links go without what they lead to", async () => {
  await using fixture = await surplusFixture();
  const tree = await fixture.store({ d: { kept: "1" } });
  const result = await fixture.restore(tree, { delete: true });
  assert.deepEqual(readdirSync(fixture.target), ["d"]);
  assert.deepEqual(readdirSync(fixture.path("d")), ["kept"]);
  assert.equal(existsSync(join(fixture.folder, "outside", "f")), true);
  assert.equal(result.filesDeleted, 4);
  const deleted = fixture.items.filter(({ action }) => action === "deleted");
  assert.deepEqual(deleted.map(({ path }) => path).sort(), [
    "/d/surplus folder",
    "/d/surplus.txt",
    "/surplus file",
    "/surplus link",
  ]);
});

test("without delete, all of it stays", async () => {
  await using fixture = await surplusFixture();
  const result = await fixture.restore(await fixture.store({ d: { kept: "1" } }));
  assert.equal(result.filesDeleted, 0);
  assert.equal(readdirSync(fixture.target).length, 3);
  assert.equal(readdirSync(fixture.path("d")).length, 3);
});

test("only what is selected goes, and what is in the snapshot but not selected stays", async () => {
  await using fixture = await surplusFixture();
  writeFileSync(fixture.path("d", "kept.txt"), "local");
  const tree = await fixture.store({ d: { "kept.txt": "1", "new.txt": "2", "kept.md": "3" } });
  const result = await fixture.restore(tree, {
    delete: true,
    select: (path) => ({
      selected: path.endsWith(".txt") && path !== "/d/kept.txt",
      childMayBeSelected: true,
    }),
  });
  assert.equal(result.filesDeleted, 1);
  assert.deepEqual(readdirSync(fixture.path("d")).sort(), [
    "kept.txt",
    "new.txt",
    "surplus folder",
  ]);
  assert.equal(fixture.text("d", "kept.txt"), "local");
  assert.equal(existsSync(fixture.path("surplus file")), true);
});

test("a folder that nothing is selected in is not emptied", async () => {
  await using fixture = await surplusFixture();
  const tree = await fixture.store({ d: { kept: "1" }, e: { other: "2" } });
  await fixture.restore(tree, {
    delete: true,
    // What an exclude pattern for /d comes to.
    select: (path) => ({
      selected: path !== "/d" && !path.startsWith("/d/"),
      childMayBeSelected: path !== "/d",
    }),
  });
  assert.deepEqual(readdirSync(fixture.path("d")).sort(), ["surplus folder", "surplus.txt"]);
  assert.deepEqual(readdirSync(fixture.target).sort(), ["d", "e"]);
});

test("a folder whose tree is damaged is not emptied", async () => {
  await using fixture = await surplusFixture();
  const tree = await fixture.store({ d: { kept: "1" } });
  // The folder's tree is the first of its pack.
  for (const [name, bytes] of fixture.builder.backend.contents().get("pack") ?? []) {
    if (bytes.length > 500) fixture.builder.damage("pack", name, flipBit(20));
  }
  const result = await fixture.restore(tree, { delete: true });
  assert.equal(result.problems, 1);
  assert.equal(result.problemsKept[0]?.path, "/d");
  assert.deepEqual(readdirSync(fixture.path("d")).sort(), ["surplus folder", "surplus.txt"]);
  assert.deepEqual(readdirSync(fixture.target), ["d"]);
});

test("everything in / is never surplus", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ f: "1" });
  for (const target of ["/", "//", "/tmp/.."]) {
    await assert.rejects(fixture.restore(tree, { target, delete: true, dryRun: true }), (error) =>
      isComebackError(error, "option.invalid"),
    );
  }
});
