import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { displayText } from "@comeback/core";
import { compareTrees, SeededRandom } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { type DamageName, DAMAGES } from "../drivers/damage.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, inventory } from "../drivers/repository-files.ts";
import type { Finished } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** Every kind of file, damaged in every way: one clear error, and nothing else gets lost. */
const SEED = 12_001;
const folder = scratchFolder("damaged");
const source = join(folder, "source");
const template = join(folder, "template");
/** The file of the template that each kind of damage hits. */
const victims = { config: "config", key: "", snapshot: "", index: "", data: "", tree: "" };
type Kind = keyof typeof victims;

interface IndexJson {
  readonly packs: readonly {
    readonly id: string;
    readonly blobs: readonly { readonly type: string }[];
  }[];
}

before(async () => {
  const random = new SeededRandom(SEED);
  makeFolder(source, "folder", "deep", "deeper");
  for (let i = 0; i < 6; i++) {
    writeFileSync(join(source, `large-${i}`), random.bytes(random.integer(1, 3_000_000)));
    writeFileSync(join(source, "folder", `small-${i}`), `content ${i}\n`.repeat(i * 100));
    writeFileSync(join(source, "folder", "deep", "deeper", `file-${i}`), random.bytes(5000));
  }
  await makeQuickRepository(template);
  const ours = new Client(COMEBACK, template);
  // The first of two snapshots is the one that gets damaged; its packs hold most of the second.
  await ours.backup(["."], { cwd: source });
  victims.key = filesOf(template, "keys")[0] ?? "";
  victims.snapshot = filesOf(template, "snapshots")[0] ?? "";
  victims.index = filesOf(template, "index")[0] ?? "";
  const id = victims.index.slice("index/".length);
  const { packs } = await ours.json<IndexJson>(["cat", "index", id]);
  for (const type of ["data", "tree"] as const) {
    const pack = packs.find(({ blobs }) => blobs[0]?.type === type);
    assert.ok(pack);
    victims[type] = `data/${pack.id.slice(0, 2)}/${pack.id}`;
  }
  writeFileSync(join(source, "added"), "between the two snapshots");
  await ours.backup(["."], { cwd: source });
});

let copies = 0;

/** A copy of the repository with one file damaged. */
function damagedCopy(kind: Kind, damage: DamageName): Client {
  const repository = join(folder, `copy-${copies++}`);
  cpSync(template, repository, { recursive: true, preserveTimestamps: true });
  DAMAGES[damage](join(repository, victims[kind]));
  return new Client(COMEBACK, repository);
}

/** What a command says, once it is sure that it has changed nothing. */
async function runUnchanged(ours: Client, args: readonly string[]): Promise<Finished> {
  const files = inventory(ours.repository);
  const finished = await ours.run(args, { cwd: source });
  assert.deepEqual(inventory(ours.repository), files, finished.describe());
  return finished;
}

const damageNames = Object.keys(DAMAGES) as DamageName[];

for (const kind of ["config", "key"] as const) {
  for (const damage of damageNames) {
    test(`${kind} ${damage}: nothing can be read, and nothing is changed`, async () => {
      const ours = damagedCopy(kind, damage);
      const isGone = kind === "config" && damage === "removed";
      for (const args of [
        ["snapshots"],
        ["check", "--read-data"],
        ["restore", "latest", "--target", join(folder, "never")],
        ["backup", "."],
      ]) {
        const finished = await runUnchanged(ours, args);
        assertError(finished, {
          exitCode: isGone ? 10 : 1,
          code: isGone ? "repository.none" : "repository.damaged",
        });
      }
      rmSync(ours.repository, { recursive: true });
    });
  }
}

for (const damage of damageNames.filter((name) => name !== "removed")) {
  test(`snapshot ${damage}: it is named, and the other one comes back`, async () => {
    const ours = damagedCopy("snapshot", damage);
    const id = victims.snapshot.slice("snapshots/".length);
    const named = new RegExp(`snapshot ${id.slice(0, 8)}`);
    const expected = { exitCode: 1, code: "repository.damaged", says: named };
    for (const args of [
      ["snapshots"],
      ["backup", "."],
      ["restore", id, "--target", join(folder, "x")],
    ]) {
      assertError(await runUnchanged(ours, args), expected);
    }
    const check = await runUnchanged(ours, ["check"]);
    assert.equal(check.exitCode, 1, check.describe());
    assert.match(check.stderr, named);
    const other = filesOf(ours.repository, "snapshots").find((path) => path !== victims.snapshot);
    const target = makeFolder(ours.repository, "..", `restored-${copies}`);
    await ours.restore(other?.slice("snapshots/".length) ?? "", target);
    assertSameTree(source, target, { tops: false });
  });

  test(`index ${damage}: nothing is guessed, and a repair brings it back`, async () => {
    const ours = damagedCopy("index", damage);
    const id = victims.index.slice("index/".length);
    const says = new RegExp(`index ${id.slice(0, 8)}.*comeback repair index`);
    for (const args of [
      ["restore", "latest", "--target", join(folder, "x")],
      ["backup", "."],
    ]) {
      const finished = await runUnchanged(ours, args);
      assertError(finished, { exitCode: 1, code: "repository.damaged", says });
    }
    const check = await runUnchanged(ours, ["check", "--read-data"]);
    assert.equal(check.exitCode, 1, check.describe());
    assert.match(check.stderr.replaceAll(/\s+/g, " "), says);
    await ours.done(["repair", "index"]);
    await ours.check();
    await new Client(RESTIC_018, ours.repository).check();
  });
}

test("index removed: check finds out, and a backup stores again what nothing lists", async () => {
  const ours = damagedCopy("index", "removed");
  const check = await runUnchanged(ours, ["check"]);
  assert.equal(check.exitCode, 1, check.describe());
  await ours.backup(["."], { cwd: source, args: ["--force"], exitCode: 0 });
  const target = makeFolder(folder, "restored-without-index");
  await ours.restore("latest", target);
  assertSameTree(source, target, { tops: false });
  // The packs that nothing lists are still there for the snapshot before.
  await ours.done(["repair", "index"]);
  await ours.check();
  await new Client(RESTIC_018, ours.repository).check();
});

interface RestoreErrorJson {
  readonly message_type: string;
  readonly item?: string;
}

/** What a restore said of single entries. */
function namedItems(finished: Finished): string[] {
  return finished.stderr
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as RestoreErrorJson)
    .filter(({ message_type: type, item }) => type === "error" && item !== undefined)
    .map(({ item = "" }) => item)
    .toSorted();
}

for (const kind of ["data", "tree"] as const) {
  for (const damage of damageNames) {
    test(`${kind} pack ${damage}: what is lost is named, everything else comes back`, async () => {
      const ours = damagedCopy(kind, damage);
      const pack = victims[kind].slice(-64);
      const check = await runUnchanged(ours, ["check", "--read-data"]);
      assert.equal(check.exitCode, 1, check.describe());
      assert.match(check.stderr, new RegExp(`pack ${pack.slice(0, 8)}`), check.describe());

      const snapshots = filesOf(ours.repository, "snapshots").map((path) => path.slice(-64));
      let lost = 0;
      for (const id of snapshots) {
        const target = join(folder, `restored-${kind}-${damage}-${id.slice(0, 8)}`);
        const finished = await runUnchanged(ours, ["restore", "--json", id, "--target", target]);
        const named = namedItems(finished);
        assert.equal(finished.exitCode, named.length === 0 && !isRefused(finished) ? 0 : 1);
        lost += named.length + (isRefused(finished) ? 1 : 0);
        if (isRefused(finished)) continue;
        const isNamed = (path: string): boolean =>
          named.some((item) => `/${path}` === item || `/${path}`.startsWith(`${item}/`));
        const unnamed = compareTrees(source, target, { tops: false }).filter(
          ({ path }) => !isNamed(displayText(path)) && displayText(path) !== "added",
        );
        assert.deepEqual(unnamed, [], finished.describe());
      }
      assert.ok(lost > 0, "nothing was lost by the damage");
    });
  }
}

/** The snapshot's own top cannot be read: then there is nothing to restore. */
function isRefused(finished: Finished): boolean {
  return finished.exitCode === 1 && namedItems(finished).length === 0;
}

for (const damage of damageNames) {
  test(`tree pack ${damage}: the next backup saves whole trees again`, async () => {
    const ours = damagedCopy("tree", damage);
    const finished = await ours.run(["backup", "."], { cwd: source });
    assert.ok(finished.exitCode === 0 || finished.exitCode === 3, finished.describe());
    const target = makeFolder(folder, `restored after ${damage}`);
    await ours.restore("latest", target);
    assertSameTree(source, target, { tops: false });
  });
}

for (const damage of damageNames) {
  test(`data pack ${damage}: after the repairs, the next backup makes both snapshots whole`, async () => {
    const ours = damagedCopy("data", damage);
    const pack = victims.data.slice(-64);
    const damagedBytes =
      damage === "removed" ? undefined : readFileSync(join(ours.repository, victims.data));
    const kept = makeFolder(folder, `kept-${copies}`);
    const index = await ours.run(["repair", "index"], { cwd: kept });
    // What is left of it is listed still, where it does not say itself what it holds.
    const isUnreadable = damage === "cut in half" || damage === "emptied";
    assert.equal(index.exitCode, isUnreadable ? 1 : 0, index.describe());
    if (damagedBytes !== undefined) {
      await ours.done(["repair", "packs", pack.slice(0, 10)], { cwd: kept });
      assert.deepEqual(readFileSync(join(kept, `pack-${pack}`)), damagedBytes);
    }
    const broken = await ours.run(["check"]);
    assert.equal(broken.exitCode, 1, broken.describe());
    await ours.backup(["."], { cwd: source });
    await ours.check();
    const restic = new Client(RESTIC_018, ours.repository);
    await restic.check();
    const first = victims.snapshot.slice(-64);
    for (const [client, id] of [
      [ours, first],
      [restic, "latest"],
    ] as const) {
      const target = makeFolder(folder, `healed-${copies}-${client.tool.name}`);
      await client.restore(id, target);
      const differences = compareTrees(source, target, { tops: false }).filter(
        ({ path }) => displayText(path) !== "added",
      );
      assert.deepEqual(differences, []);
    }
    rmSync(ours.repository, { recursive: true });
  });
}
