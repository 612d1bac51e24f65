import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { randomTree } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** Both tools find, compare and list the same in one repository, field by field. */
const folder = scratchFolder("searching");
const source = join(folder, "source");
const ours = new Client(COMEBACK, join(folder, "repository"));
const theirs = new Client(RESTIC_018, ours.repository);

type Json = Record<string, unknown>;

/** Oldest first. */
const ids: string[] = [];
let changedBlob = "";
let changedTree = "";

before(async () => {
  await makeQuickRepository(ours.repository);
  randomTree(source, 811, { entries: 350 });
  writeFileSync(join(source, "changed"), "first version\n");
  mkdirSync(join(source, "stays"));
  symlinkSync(Buffer.from("no UTF-8 \xff", "latin1"), join(source, "stays", "odd link"));
  writeFileSync(join(source, "stays", "one.txt"), "is there in all snapshots\n");
  mkdirSync(join(source, "goes", "deep"), { recursive: true });
  writeFileSync(join(source, "goes", "deep", "<&>.txt"), "is only in the first\n");
  await ours.backup([source], { args: ["--tag", "first", "--host", "a"] });
  change();
  await theirs.backup([source], { args: ["--tag", "second", "--host", "b"] });
  writeFileSync(join(source, "changed"), "third version, after all\n");
  await ours.backup(["."], { cwd: source, args: ["--host", "b"] });
  for (const { id } of await ours.snapshots()) ids.push(id);
  const at = `${ids[1]}:${source}`;
  const tree = await ours.done(["cat", "tree", at]);
  const { nodes } = JSON.parse(tree.stdout.toString("utf8")) as {
    nodes: { name: string; content?: string[]; subtree?: string }[];
  };
  changedBlob = nodes.find(({ name }) => name === "changed")?.content?.[0] ?? "";
  changedTree = nodes.find(({ name }) => name === "stays")?.subtree ?? "";
});

/** One change of each kind. */
function change(): void {
  rmSync(join(source, "goes"), { recursive: true });
  rmSync(join(source, "dangling"));
  mkdirSync(join(source, "dangling"));
  rmSync(join(source, "empty folder"), { recursive: true });
  symlinkSync("elsewhere", join(source, "empty folder"));
  writeFileSync(join(source, "changed"), "second version\n");
  copyFileSync(join(source, "changed"), join(source, "stays", "copy of changed"));
  chmodSync(join(source, "sparse"), 0o600);
  utimesSync(join(source, "first name"), 1_000_000_000, 1_000_000_000);
  writeFileSync(join(source, "empty file"), "not empty any more");
}

async function linesOf(args: readonly string[]): Promise<[Json[], Json[]]> {
  return [await ours.lines<Json>(args), await theirs.lines<Json>(args)];
}

for (const [name, args] of [
  ["forwards", () => [ids[0]!, ids[1]!]],
  ["backwards", () => [ids[1]!, ids[0]!]],
  ["with metadata", () => ["--metadata", ids[0]!, ids[1]!]],
  ["of one snapshot with itself", () => [ids[1]!, ids[1]!]],
  ["of trees that stand elsewhere", () => [`${ids[1]}:${source}`, ids[2]!]],
  ["of folders", () => [`${ids[0]}:${source}/stays`, `${ids[1]}:${source}/stays`]],
] as const) {
  test(`diff ${name}`, async () => {
    const [mine, restic] = await linesOf(["diff", ...args()]);
    assert.deepEqual(mine, restic);
    assert.equal(mine.at(-1)?.["message_type"], "statistics");
  });
}

test("what diff compares are real differences of each kind", async () => {
  const mine = await ours.lines<Json>(["diff", "--metadata", ids[0]!, ids[1]!]);
  const letters = new Set(mine.map(({ modifier }) => modifier));
  // What is of another type has other metadata as well.
  for (const letter of ["+", "-", "M", "U", "TU"]) {
    assert.ok(letters.has(letter), `${letter} in ${[...letters].join(" ")}`);
  }
});

for (const args of [
  ["*.txt"],
  ["*"],
  ["-i", "*.TXT", "CHANGED"],
  ["stays/*"],
  ["**/goes/**"],
  ["--reverse", "changed"],
  ["--host", "b", "changed"],
  ["--tag", "first", "changed"],
  ["--oldest", "2020-01-01", "*"],
  ["--newest", "2020-01-01 10:00", "*"],
  ["--oldest", "01.01.1970 00:00:00 +0100", "--newest", "2030-12-31 23:59:59 UTC", "*"],
  ["nothing is called so"],
]) {
  test(["find", ...args].join(" "), async () => {
    const mine = await ours.json<Json[]>(["find", ...args]);
    assert.deepEqual(mine, await theirs.json<Json[]>(["find", ...args]));
    assert.equal(mine.length > 0, !args.includes("nothing is called so"));
  });
}

test("find in one snapshot, and by an absolute path", async () => {
  for (const args of [["--snapshot", ids[0]!, "*.txt"], [`${source}/st*`]]) {
    const mine = await ours.json<Json[]>(["find", ...args]);
    assert.deepEqual(mine, await theirs.json<Json[]>(["find", ...args]));
    assert.ok(mine.length > 0);
  }
});

test("find --blob, --tree and --pack, by whole and by short ids", async () => {
  const { stdout } = await theirs.done(["find", "--show-pack-id", "--blob", changedBlob]);
  const pack = /belongs to pack ([0-9a-f]{64})/.exec(stdout.toString("utf8"))?.[1] ?? "";
  for (const args of [
    ["--blob", changedBlob],
    ["--blob", changedBlob.slice(0, 8)],
    ["--tree", changedTree],
    ["--tree", changedTree.slice(0, 8)],
    ["--pack", pack],
    ["--pack", pack.slice(0, 8)],
  ]) {
    const mine = await ours.json<Json[]>(["find", ...args]);
    assert.deepEqual(mine, await theirs.json<Json[]>(["find", ...args]), args.join(" "));
    assert.ok(mine.length > 0, args.join(" "));
  }
  const [place] = await ours.json<Json[]>(["find", "--blob", "--show-pack-id", changedBlob]);
  assert.equal(place?.["pack"], pack);
});

for (const args of [[], ["/stays"], ["--recursive", "/stays", "/empty file"]]) {
  test(["ls --ncdu", ...args].join(" "), async () => {
    // The last snapshot's paths begin at its top.
    const [mine, restic] = [
      await ours.done(["ls", "--ncdu", ids[2]!, ...args]),
      await theirs.done(["ls", "--ncdu", ids[2]!, ...args]),
    ];
    assert.deepEqual(mine.stdout, restic.stdout);
    assert.ok(Array.isArray(JSON.parse(mine.stdout.toString("utf8"))));
  });
}

test("ls --ncdu of a folder within a snapshot", async () => {
  const args = ["ls", "--ncdu", `${ids[0]}:${source}`];
  assert.deepEqual((await ours.done(args)).stdout, (await theirs.done(args)).stdout);
});

for (const args of [
  ["--sort", "name"],
  ["--sort", "size"],
  ["--sort", "time"],
  ["--sort", "atime"],
  ["--sort", "ctime", "--reverse"],
  ["--sort", "extension"],
  ["--reverse"],
]) {
  test(["ls", ...args].join(" "), async () => {
    const [mine, restic] = await linesOf(["ls", "latest", ...args]);
    assert.deepEqual(mine, restic);
    assert.ok(mine.length > 100);
  });
}

test("list prints the same ids, in some order", async () => {
  for (const kind of ["blobs", "packs", "index", "snapshots", "keys", "locks"]) {
    const [mine, restic] = await Promise.all(
      [ours, theirs].map(async (client) => {
        const { stdout } = await client.done(["list", kind, "--no-lock"]);
        return stdout.toString("utf8").split("\n").toSorted();
      }),
    );
    assert.deepEqual(mine, restic, kind);
  }
});

test("stats --mode growth adds up to what restic counts", async () => {
  const { snapshots } = await ours.json<{ snapshots: Json[] }>(["stats", "--mode", "growth"]);
  const raw = await theirs.json<Json>(["stats", "--mode", "raw-data"]);
  const sum = (key: string): number =>
    snapshots.reduce((total, item) => total + Number(item[key]), 0);
  assert.deepEqual(
    snapshots.map(({ id }) => id),
    ids,
  );
  assert.equal(sum("added_size_stored"), raw["total_size"]);
  assert.equal(sum("added_blobs"), raw["total_blob_count"]);
  assert.equal(snapshots.at(-1)?.["total_size_stored"], raw["total_size"]);
});

test("damage ends neither a search nor a comparison, and both say so", async () => {
  const copy = join(folder, "damaged");
  const client = new Client(COMEBACK, copy);
  copyRepository(ours.repository, copy);
  const { stdout } = await client.done(["find", "--tree", "--show-pack-id", changedTree, "--json"]);
  const [place] = JSON.parse(stdout.toString("utf8")) as { pack: string }[];
  const pack = place?.pack ?? "";
  rmSync(join(copy, "data", pack.slice(0, 2), pack));
  const find = await client.run(["find", "*"]);
  assert.equal(find.exitCode, 1, find.describe());
  assert.match(find.stderr, /error: the listing of folder \S+ is damaged: /);
  const diff = await client.run(["diff", "--json", ids[0]!, ids[2]!]);
  assert.equal(diff.exitCode, 1, diff.describe());
  assert.match(diff.stderr, /"message_type":"(error|exit_error)"/);
});

function copyRepository(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyRepository(source, target);
    else copyFileSync(source, target);
  }
}
