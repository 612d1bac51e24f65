import assert from "node:assert/strict";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { RestoreObserver, RestoreProblem } from "../../src/restore/restore-options.ts";
import { RestoreFixture } from "./restore-fixture.ts";

test("verification finds what changed after it was restored", async () => {
  await using fixture = await RestoreFixture.create();
  const parts = ["first ", "second ", "third"];
  const tree = await fixture.store({
    changed: parts,
    cut: parts,
    fine: parts,
    gone: parts,
    swapped: parts,
    z: {},
  });
  const problems: RestoreProblem[] = [];
  let items = 0;
  const observer: RestoreObserver = {
    onProblem: (problem) => problems.push(problem),
    onItem: () => {
      // After the last of the five files and the folder.
      if (++items !== 6) return;
      rmSync(fixture.path("gone"));
      rmSync(fixture.path("swapped"));
      symlinkSync("fine", fixture.path("swapped"));
      writeFileSync(fixture.path("changed"), "first SECOND third");
      writeFileSync(fixture.path("cut"), "first ");
    },
  };
  const result = await fixture.restore(tree, { verify: true, observer });
  const named = problems.map(({ path, during, message }) => `${path} ${during}: ${message}`).sort();
  assert.deepEqual(named, [
    "/changed verify: a part of its content is not what the snapshot says",
    "/cut verify: its content is not what the snapshot says",
    "/gone verify: it is missing",
    "/swapped verify: something else is in its place",
  ]);
  assert.equal(result.filesVerified, 1);
  assert.equal(result.bytesVerified, 18);
  assert.equal(result.problems, 4);
});

test("what was not written is not read again", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ a: "1", b: "2", c: { d: "3" } });
  await fixture.restore(tree);
  writeFileSync(fixture.path("b"), "X");
  const result = await fixture.restore(tree, { verify: true });
  assert.equal(result.filesVerified, 1);
  assert.equal(result.problems, 0);
});
