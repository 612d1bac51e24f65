import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isComebackError } from "@comeback/core";
import { buildTree, directory, treeOf } from "@comeback/testkit";
import { listXattrs } from "@comeback/platform";
import { dataBlob, fileNode, folderNode, treeBlob } from "../repository-builder.ts";
import { RestoreFixture } from "./restore-fixture.ts";

test("a target that cannot be one: one clear error", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ f: "content" });
  const file = join(fixture.folder, "file");
  writeFileSync(file, "");
  for (const target of [file, join(file, "below"), "/proc/nowhere", `${fixture.folder}/\0`, ""]) {
    await assert.rejects(fixture.restore(tree, { target }), (error) => {
      const code = target === "" || target.includes("\0") ? "option.invalid" : "restore.target";
      assert.ok(isComebackError(error, code), `${target}: ${String(error)}`);
      assert.ok(error.next !== undefined);
      return true;
    });
  }
});

test("a target that hands its group and access list down", async () => {
  await using fixture = await RestoreFixture.create();
  const content = dataBlob("content");
  const inner = treeBlob([fileNode("f", content)]);
  const tree = treeBlob([folderNode("d", inner), fileNode("f", content)]);
  await fixture.storeBlobs([content], [inner, tree]);
  // The group only differs where root sets it; the access list and the bit matter in any case.
  const isRoot = process.geteuid?.() === 0;
  buildTree(
    fixture.folder,
    treeOf({
      target: directory(
        { d: directory({}, { defaultAcl: "u::rwx,u:1000:rwx,g::---,m::rwx,o::---" }) },
        { mode: 0o2755, defaultAcl: "u::rwx,u:1000:rwx,g::rwx,m::rwx,o::rwx" },
      ),
    }),
  );
  if (isRoot) chownSync(fixture.target, 0, 4321);
  chmodSync(fixture.target, 0o2755);
  const result = await fixture.restore(tree);
  assert.deepEqual(result.problemsKept, []);
  for (const path of ["d", "d/f", "f"]) {
    assert.deepEqual(listXattrs(fixture.path(path)), [], path);
    const { mode, gid } = statSync(fixture.path(path));
    assert.equal((mode & 0o7777).toString(8), path === "d" ? "755" : "644", path);
    if (isRoot) assert.equal(gid, 0, path);
  }
  // The target itself is the user's own.
  assert.deepEqual(listXattrs(fixture.target), ["system.posix_acl_default"]);
});

test("without root: owners are passed over, and an unwritable target is one clear error", () => {
  // As root, the restore runs in a process of another user; otherwise in one of our own.
  const folder = mkdtempSync(join(tmpdir(), "comeback-nobody-"));
  try {
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) chownSync(folder, 65_534, 65_534);
    const script = fileURLToPath(new URL("restore-as-nobody.ts", import.meta.url));
    const result = spawnSync(process.execPath, [script, folder], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"] },
      ...(isRoot ? { uid: 65_534, gid: 65_534 } : {}),
    });
    assert.equal(result.stderr, "");
    assert.deepEqual(JSON.parse(result.stdout), {
      problems: 0,
      content: "content",
      mode: "4751",
      attributes: ["user.a"],
      linked: true,
      unwritable: "restore.target",
      // Nothing is to be made in the target itself: it need not be writable.
      insideUnwritable: 0,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
