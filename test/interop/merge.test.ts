import assert from "node:assert/strict";
import { cpSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { randomTree } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { inventory } from "../drivers/repository-files.ts";
import { beyondRestic } from "../drivers/restic-limits.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";

/** What a merge of both tools' snapshots holds is what restic restores from it. */
const SEED = 412;
const folder = memoryFolder("merge");
const repository = join(folder, "repository");
const ours = new Client(COMEBACK, repository);
const restic014 = new Client(RESTIC_014, repository);
const restic018 = new Client(RESTIC_018, repository);

interface MergeJson {
  readonly snapshot_id?: string;
  readonly tree: string;
  readonly merged: readonly string[];
  readonly merged_removed: boolean;
}

test(`three snapshots become one, seed ${SEED}`, async () => {
  await makeQuickRepository(repository);
  const source = join(folder, "source");
  const expected = join(folder, "expected");
  randomTree(source, SEED, { entries: 150 });
  const file = (...names: string[]): string => join(source, ...names);
  makeFolder(source, "kept", "deep");
  for (const name of ["gone", "changed"]) writeFileSync(file("kept", "deep", name), `${name} 1`);
  writeFileSync(file("once a file"), "file");
  makeFolder(source, "once a folder");
  writeFileSync(file("once a folder", "inside"), "inside");
  const back = { cwd: source };
  const first = await ours.backup(["."], back);
  cpSync(source, expected, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });

  rmSync(file("kept", "deep", "gone"));
  writeFileSync(file("kept", "deep", "changed"), "changed 2");
  rmSync(file("once a file"));
  makeFolder(source, "once a file");
  writeFileSync(file("once a file", "now inside"), "x");
  rmSync(file("once a folder"), { recursive: true });
  symlinkSync("elsewhere", file("once a folder"));
  const second = await restic014.backup(["."], { ...back, args: ["--host", "other"] });
  writeFileSync(file("third"), "3");
  const third = await restic018.backup(["."], back);

  const ids = [first, second, third].map(({ snapshot_id: id }) => id);
  const files = inventory(repository);
  const dry = await ours.json<MergeJson>(["merge", ...ids, "--dry-run"]);
  assert.deepEqual(inventory(repository), files);
  const merged = await ours.json<MergeJson>(["merge", ...ids]);
  assert.equal(merged.tree, dry.tree);
  assert.equal(merged.merged_removed, false);
  assert.equal(merged.merged.length, 3);
  assert.equal((await restic018.snapshots()).at(-1)?.id, merged.snapshot_id, "it is the latest");

  const target = makeFolder(folder, "restored");
  await restic018.restore(merged.snapshot_id ?? "", target);
  // Everything of the last state, and beside it what was deleted on the way there.
  for (const name of ["once a folder", "once a file"]) {
    rmSync(join(expected, name), { recursive: true });
  }
  const gone = join("kept", "deep", "gone");
  cpSync(join(expected, gone), file("kept", "deep", "gone"), { preserveTimestamps: true });
  assertSameTree(source, target, {
    tops: false,
    // Putting the deleted file back has changed the folder's own time.
    excuses: (found) => /kept\/deep(\/gone)?$/.test(found.path) || beyondRestic(RESTIC_018)(found),
  });
  await restic014.check();

  await ours.done(["merge", ...ids, "--forget"]);
  const left = (await restic018.snapshots()).map(({ id, tree }) => [id.length, tree]);
  assert.deepEqual(left, [
    [64, merged.tree],
    [64, merged.tree],
  ]);
  await restic018.done(["prune"]);
  await restic018.check();
  await ours.check();
});

test("a merge of nothing, of one, and without a lock, is refused", async () => {
  const refused = { exitCode: 1, code: "option.invalid" };
  assertError(await ours.run(["merge"]), refused);
  assertError(await ours.run(["merge", "latest"]), refused);
  assertError(await ours.run(["merge", "--host", "nobody"]), refused);
  assertError(await ours.run(["merge", "--tag", "merge", "--no-lock"]), refused);
});
