import assert from "node:assert/strict";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { localFixture } from "./scratch.ts";

const NAME = "ab".repeat(32);
const OURS = "0123456789abcdef";
const HOUR_MS = 3_600_000;

test("what our own killed saves left is found, in every folder, and nothing else", async () => {
  await using fixture = await localFixture();
  const { backend, root } = fixture;
  const ours = [
    join(root, `config-tmp-${OURS}`),
    ...["keys", "locks", "snapshots", "index", "data/ab"].map((folder) =>
      join(root, folder, `${NAME}-tmp-${OURS}`),
    ),
  ];
  const others = [
    // restic's own, and what only looks alike.
    join(root, "data/ab", `${NAME}-tmp-1234567890`),
    join(root, "data/ab", `${NAME}-tmp-${OURS}0`),
    join(root, "data/ab", `${NAME}-tmp-${OURS.toUpperCase()}`),
    join(root, "data/ab", NAME),
    join(root, "data", `${NAME}-tmp-${OURS}`),
    join(root, `elsewhere-tmp-${OURS}`),
  ];
  for (const path of [...ours, ...others]) writeFileSync(path, "left by a crash");
  mkdirSync(join(root, "index", `${"cd".repeat(32)}-tmp-${OURS}`));
  const writtenMs = Date.now() - 30 * HOUR_MS;
  for (const path of ours) utimesSync(path, writtenMs / 1000, writtenMs / 1000);

  const found = (await backend.leftOvers?.()) ?? [];
  assert.deepEqual(found.map(({ path }) => path).toSorted(), ours.toSorted());
  for (const { sizeBytes, modifiedMs } of found) {
    assert.equal(sizeBytes, 15);
    assert.ok(Math.abs(modifiedMs - writtenMs) < 1);
  }
  for (const file of found) await file.remove();
  assert.ok(!ours.some((path) => existsSync(path)));
  assert.ok(others.every((path) => existsSync(path)));
  // Gone already.
  for (const file of found) await file.remove();
  assert.deepEqual(await backend.leftOvers?.(), []);
});

test("what is written to after it was found stays", async () => {
  await using fixture = await localFixture();
  const { backend, root } = fixture;
  const path = join(root, "index", `${NAME}-tmp-${OURS}`);
  writeFileSync(path, "a part");
  const [file] = (await backend.leftOvers?.()) ?? [];
  writeFileSync(path, "a part of it, and more");
  await file?.remove();
  assert.ok(existsSync(path));
});

test("a closed backend looks for nothing", async () => {
  await using fixture = await localFixture();
  const backend = await fixture.another();
  await backend[Symbol.asyncDispose]();
  await assert.rejects(Promise.resolve(backend.leftOvers?.()), { code: "backend.closed" });
});
