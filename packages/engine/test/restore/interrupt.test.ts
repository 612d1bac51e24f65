import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { dataBlob, fileNode, treeBlob } from "../repository-builder.ts";
import { RestoreFixture } from "./restore-fixture.ts";

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

test("an interrupted restore ends with the signal's reason, and another one completes it", async () => {
  await using fixture = await RestoreFixture.create();
  const files = Array.from({ length: 600 }, (_, i) => [
    dataBlob(`file ${i} ${"x".repeat(20_000)}`),
    dataBlob(`end ${i}`),
  ]);
  const tree = treeBlob(
    files.map((blobs, i) => fileNode(`file ${String(i).padStart(4, "0")}`, ...blobs)),
  );
  await fixture.storeBlobs(files.flat(), [tree]);
  await fixture.restore(tree, { dryRun: true });
  const before = openFiles();
  const controller = new AbortController();
  const reason = new Error("enough");
  let done = 0;
  const interrupted = fixture.restore(tree, {
    signal: controller.signal,
    observer: { onItem: () => (done++ === 100 ? controller.abort(reason) : undefined) },
  });
  await assert.rejects(interrupted, reason);
  assert.ok(openFiles() <= before, "everything is closed");
  // Whatever has its time is complete.
  const stored = Date.parse("2026-01-02T03:04:05.678Z");
  const complete = readdirSync(fixture.target).filter(
    (name) => statSync(fixture.path(name)).mtimeMs === stored,
  );
  for (const name of complete) {
    const blobs = files[Number(name.slice(5))] ?? [];
    const expected = Buffer.concat(blobs.map(({ plaintext }) => plaintext));
    assert.deepEqual(readFileSync(fixture.path(name)), expected);
  }
  assert.ok(complete.length > 100 && complete.length < 600, `${complete.length} are complete`);
  const result = await fixture.restore(tree, { overwrite: "if-changed", verify: true });
  assert.deepEqual(result.problemsKept, []);
  // Some may have had all their content, and only lacked their time.
  assert.ok(result.filesSkipped >= complete.length);
  assert.equal(result.filesSkipped + result.filesDone, 600);
});

test("a signal that is aborted already: nothing is begun", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ f: "content" });
  const reason = new Error("not at all");
  await assert.rejects(fixture.restore(tree, { signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(readdirSync(fixture.folder), []);
});

test("nothing stays open after a restore", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ a: { b: { c: "1" } }, d: ["2", "3", "4"], e: "5" });
  await fixture.restore(tree);
  const before = openFiles();
  for (let i = 0; i < 3; i++) await fixture.restore(tree, { workers: 2, delete: true });
  assert.ok(openFiles() <= before + 1, `${before} descriptors became ${openFiles()}`);
});
