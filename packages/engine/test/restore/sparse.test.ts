import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { dataBlob, fileNode, treeBlob } from "../repository-builder.ts";
import { RestoreFixture } from "./restore-fixture.ts";

const KiB = 1024;
const zeros = dataBlob(new Uint8Array(512 * KiB));
const mixed = dataBlob(
  Buffer.concat([Buffer.alloc(100 * KiB), Buffer.from("data"), Buffer.alloc(300 * KiB + 17)]),
);

async function sparseFixture(): Promise<{ fixture: RestoreFixture; tree: typeof zeros }> {
  const fixture = await RestoreFixture.create();
  const tree = treeBlob([
    fileNode("all zero", zeros),
    fileNode("hole at the end", dataBlob("start"), zeros, zeros),
    fileNode("holes", zeros, mixed, zeros, mixed),
    fileNode("one blob", mixed),
  ]);
  await fixture.storeBlobs([dataBlob("start"), zeros, mixed], [tree]);
  return { fixture, tree };
}

const EXPECTED: Readonly<Record<string, Buffer>> = {
  "all zero": Buffer.from(zeros.plaintext),
  "hole at the end": Buffer.concat([Buffer.from("start"), zeros.plaintext, zeros.plaintext]),
  holes: Buffer.concat([zeros, mixed, zeros, mixed].map(({ plaintext }) => plaintext)),
  "one blob": Buffer.from(mixed.plaintext),
};

test("with sparse, zeros take no space; without, they do", async () => {
  const made = await sparseFixture();
  await using fixture = made.fixture;
  const result = await fixture.restore(made.tree, { sparse: true, verify: true });
  assert.deepEqual(result.problemsKept, []);
  assert.equal(result.filesVerified, 4);
  for (const [name, content] of Object.entries(EXPECTED)) {
    assert.ok(readFileSync(fixture.path(name)).equals(content), name);
    const { blocks } = statSync(fixture.path(name));
    assert.ok(blocks * 512 <= 64 * KiB, `${name} takes ${blocks} blocks`);
  }
  assert.ok(result.bytesWritten < 64 * KiB);
  const target = `${fixture.target}-dense`;
  const dense = await fixture.restore(made.tree, { target });
  for (const [name, content] of Object.entries(EXPECTED)) {
    assert.ok(readFileSync(`${target}/${name}`).equals(content), name);
  }
  assert.equal(dense.bytesWritten, dense.bytesDone);
});

test("an existing file does not keep its data where holes would go", async () => {
  const made = await sparseFixture();
  await using fixture = made.fixture;
  mkdirSync(fixture.target);
  for (const [name, content] of Object.entries(EXPECTED)) {
    writeFileSync(fixture.path(name), Buffer.alloc(content.length + 100, "x"));
  }
  const result = await fixture.restore(made.tree, { sparse: true });
  assert.deepEqual(result.problemsKept, []);
  for (const [name, content] of Object.entries(EXPECTED)) {
    assert.ok(readFileSync(fixture.path(name)).equals(content), name);
  }
});
