import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { randomTree, SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { copyNew } from "../drivers/quick-repository.ts";
import { repositoryBytes } from "../drivers/repository-files.ts";
import { beyondRestic } from "../drivers/restic-limits.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018, type Tool } from "../drivers/tools.ts";

/** Both tools back up into one repository in turn, and store everything once. */
const folder = scratchFolder("taking-turns");
const MiB = 1024 * 1024;

async function newRepository(place: string, writer: Tool): Promise<[Client, Client]> {
  const clients = [COMEBACK, RESTIC_018].map((tool) => new Client(tool, join(place, "repository")));
  const [ours, theirs] = clients as [Client, Client];
  await copyNew(writer === COMEBACK ? ours : theirs);
  return [ours, theirs];
}

for (const timeZone of ["UTC", "Europe/Vienna", "America/St_Johns"]) {
  for (const first of [COMEBACK, RESTIC_018]) {
    test(`an unchanged tree, first by ${first.name}, in ${timeZone}`, async () => {
      const place = makeFolder(folder, `${first.name}-${timeZone.replace("/", "-")}`);
      const source = join(place, "source");
      randomTree(source, 301, { entries: 300, largeFiles: true });
      const [ours, theirs] = await newRepository(place, first);
      const [one, other] = first === COMEBACK ? [ours, theirs] : [theirs, ours];
      // "." leaves the folders above out: theirs are not this test's alone, and change.
      const options = { cwd: source, env: { TZ: timeZone } };
      const before = await one.backup(["."], options);
      const tree = await one.treeOf(before.snapshot_id);
      assert.ok(before.data_added > 16 * MiB);

      // With the other's snapshot as parent, and without: then every file is read again.
      for (const args of [[], ["--force"]]) {
        for (const client of [other, one]) {
          const bytes = repositoryBytes(ours.repository);
          const summary = await client.backup(["."], { ...options, args });
          const what = `${client.tool.name} ${args.join(" ")}`;
          assert.equal(summary.data_blobs, 0, what);
          assert.equal(summary.tree_blobs, 0, what);
          assert.equal(summary.data_added, 0, what);
          assert.equal(await client.treeOf(summary.snapshot_id), tree, what);
          // A snapshot file, and nothing else.
          assert.ok(repositoryBytes(ours.repository) - bytes < 2000, what);
        }
      }
      await theirs.check();
      await ours.check();
    });
  }
}

test("incremental backups by turns, seed 302", async () => {
  const place = makeFolder(folder, "incremental");
  const source = join(place, "source");
  randomTree(source, 302, { entries: 200 });
  const [ours, theirs] = await newRepository(place, COMEBACK);
  const random = new SeededRandom(302);
  const files = Array.from({ length: 30 }, (_, i) => join(source, `file-${i}`));
  for (const path of files) writeFileSync(path, random.bytes(random.integer(1, 2 * MiB)));
  await ours.backup([source]);

  for (let turn = 0; turn < 8; turn++) {
    const client = turn % 2 === 0 ? theirs : ours;
    let changedBytes = 0;
    for (const path of files) {
      if (!random.chance(15)) continue;
      const bytes = random.bytes(random.integer(1, 2 * MiB));
      writeFileSync(path, bytes);
      changedBytes += bytes.length;
    }
    const summary = await client.backup([source]);
    // The new contents once, and the trees on the way to the files.
    const excess = summary.data_added - changedBytes;
    assert.ok(excess >= 0 && excess < 300_000, `${client.tool.name}: ${excess} bytes too many`);
    const target = join(place, `restored-${turn}`);
    await (client === ours ? theirs : ours).restore(`${summary.snapshot_id}:${source}`, target);
    assertSameTree(source, target, { tops: false, excuses: beyondRestic(RESTIC_018) });
    rmSync(target, { recursive: true });
  }
  await theirs.check();
  await ours.check();
});

test("moved and copied files are found again by either tool", async () => {
  const place = makeFolder(folder, "moved");
  const source = makeFolder(place, "source");
  const [ours, theirs] = await newRepository(place, RESTIC_018);
  const bytes = randomBytes(5 * MiB);
  writeFileSync(join(source, "original"), bytes);
  await theirs.backup([source]);
  renameSync(join(source, "original"), join(source, "moved"));
  assert.equal((await ours.backup([source])).data_blobs, 0);
  writeFileSync(join(source, "copied"), bytes);
  assert.equal((await theirs.backup([source])).data_blobs, 0);
  // Something in front of it: the chunks find themselves again behind it.
  writeFileSync(join(source, "shifted"), Buffer.concat([randomBytes(1000), bytes]));
  const { data_added: added } = await ours.backup([source]);
  assert.ok(added < bytes.length, `${added} bytes were stored again`);
});
