import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { randomTree } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** Both tools tell the same of one repository, field by field. */
const folder = scratchFolder("listings");
const source = join(folder, "source");
const ours = new Client(COMEBACK, join(folder, "repository"));
const theirs = new Client(RESTIC_018, ours.repository);

type Json = Record<string, unknown>;

before(async () => {
  randomTree(source, 401, { entries: 400 });
  await initQuickly(ours);
  await ours.backup([source], { args: ["--tag", "one,two", "--host", "host-a"] });
  await theirs.backup([makeFolder(source, "empty folder")], { args: ["--tag", "three"] });
  await ours.backup(["."], { cwd: source, args: ["--host", "host-b", "--exclude", "*.c"] });
});

/** restic's groups come in no particular order. */
function inOrder(groups: readonly Json[]): Json[] {
  const key = (group: Json): string => JSON.stringify(group["group_key"]);
  return groups.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function both<T>(args: readonly string[]): Promise<[T, T]> {
  return [await ours.json<T>(args), await theirs.json<T>(args)];
}

for (const args of [
  [],
  ["--host", "host-a"],
  ["--tag", "three"],
  ["--path", source],
  ["latest"],
  ["--latest", "1"],
  ["--group-by", "host"],
  ["--group-by", "paths,tags"],
]) {
  test(["snapshots --json", ...args].join(" "), async () => {
    const [mine, restic] = await both<Json[]>(["snapshots", ...args]);
    if (args[0] === "--group-by") assert.deepEqual(inOrder(mine), inOrder(restic));
    else assert.deepEqual(mine, restic);
    assert.ok(mine.length > 0);
  });
}

for (const args of [
  ["latest"],
  ["latest", "--host", "host-a"],
  ["latest", "--recursive", "/"],
  ["latest", "--long"],
  ["latest", "/empty folder"],
]) {
  test(["ls --json", ...args].join(" "), async () => {
    const mine = await ours.lines<Json>(["ls", ...args]);
    const restic = await theirs.lines<Json>(["ls", ...args]);
    assert.deepEqual(mine, restic);
    assert.ok(mine.length > 1);
  });
}

for (const mode of ["restore-size", "files-by-contents", "blobs-per-file", "raw-data"]) {
  for (const which of [["latest"], []]) {
    test(["stats --json --mode", mode, ...which].join(" "), async () => {
      const [mine, restic] = await both<Json>(["stats", "--mode", mode, ...which]);
      assert.deepEqual(mine, restic);
    });
  }
}

test("cat prints the same of every kind of object", async () => {
  const [snapshot] = await theirs.snapshots();
  assert.ok(snapshot);
  const list = async (kind: string): Promise<string> => {
    const { stdout } = await theirs.done(["list", kind]);
    return stdout.toString("utf8").split("\n")[0] ?? "";
  };
  const objects = [
    ["config"],
    ["masterkey"],
    ["snapshot", snapshot.id],
    ["blob", snapshot.tree],
    ["tree", `${snapshot.id}:${source}`],
    ["index", await list("index")],
    ["key", await list("keys")],
    ["pack", await list("packs")],
  ];
  for (const args of objects) {
    const [mine, restic] = [await ours.done(["cat", ...args]), await theirs.done(["cat", ...args])];
    const isJson = ["config", "masterkey", "snapshot", "index", "key"].includes(args[0] ?? "");
    const read = (bytes: Buffer): unknown => (isJson ? JSON.parse(bytes.toString()) : bytes);
    assert.deepEqual(read(mine.stdout), read(restic.stdout), args.join(" "));
  }
});
