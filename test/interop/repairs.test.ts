import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { DAMAGES } from "../drivers/damage.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf } from "../drivers/repository-files.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018, type Tool } from "../drivers/tools.ts";

/** The same damage, repaired by us and by restic: what is left is the same. */
const folder = memoryFolder("repairs");
const source = join(folder, "source");
const template = join(folder, "template");
const packs = { data: "", tree: "" };

interface IndexJson {
  readonly packs: readonly { readonly id: string; readonly blobs: readonly { type: string }[] }[];
}

before(async () => {
  const random = new SeededRandom(5);
  makeFolder(source, "folder", "deep");
  writeFileSync(join(source, "large"), random.bytes(3_000_000));
  for (const name of ["a", "folder/b", "folder/deep/c"]) {
    writeFileSync(join(source, name), random.bytes(random.integer(1, 100_000)));
  }
  await makeQuickRepository(template);
  const restic = new Client(RESTIC_018, template);
  await restic.backup(["."], { cwd: source });
  const [index = ""] = filesOf(template, "index");
  const listed = await restic.json<IndexJson>(["cat", "index", index.slice(-64)]);
  for (const type of ["data", "tree"] as const) {
    packs[type] = listed.packs.find(({ blobs }) => blobs[0]?.type === type)?.id ?? "";
  }
  // The second snapshot shares nearly everything with the first one, and has packs of its own.
  writeFileSync(join(source, "large"), random.bytes(3_000_000));
  writeFileSync(join(source, "folder", "deep", "d"), random.bytes(70_000));
  await restic.backup(["."], { cwd: source });
});

let copies = 0;

function copyFor(tool: Tool): Client {
  const path = join(folder, `${tool.name}-${copies++}`);
  cpSync(template, path, { recursive: true, preserveTimestamps: true });
  return new Client(tool, path);
}

const packPath = (id: string): string => join("data", id.slice(0, 2), id);

/** Runs the same on both; gives what restic then says of each. */
async function onBoth<T>(
  run: (client: Client) => Promise<void>,
  look: (restic: Client) => Promise<T>,
): Promise<{ ours: T; restics: T }> {
  const results: T[] = [];
  for (const tool of [COMEBACK, RESTIC_018]) {
    const client = copyFor(tool);
    await run(client);
    results.push(await look(new Client(RESTIC_018, client.repository)));
    rmSync(client.repository, { recursive: true });
  }
  return { ours: results[0] as T, restics: results[1] as T };
}

async function listedBlobs(restic: Client): Promise<string[]> {
  const { stdout } = await restic.done(["list", "blobs"]);
  return stdout.toString("utf8").trim().split("\n").toSorted();
}

async function treesOf(restic: Client): Promise<string[]> {
  await restic.check();
  return (await restic.snapshots()).map(({ tree }) => tree).toSorted();
}

/** Entries of all snapshots, as restic lists them. */
async function entriesOf(restic: Client): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const { id, tags } of await restic.snapshots()) {
    const entries = await restic.lines<{ struct_type: string; path: string; size?: number }>([
      "ls",
      id,
    ]);
    const nodes = entries.filter(({ struct_type: type }) => type === "node");
    all.push([tags, nodes.map(({ path, size }) => `${path} ${size ?? ""}`)]);
  }
  return all.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

for (const [name, args] of [
  ["repair index", []],
  ["repair index --read-all-packs", ["--read-all-packs"]],
] as const) {
  test(`${name} leaves the same blobs listed`, async () => {
    const { ours, restics } = await onBoth(async (client) => {
      const { repository } = client;
      const [first = "", second = ""] = filesOf(repository, "index");
      DAMAGES["one bit flipped"](join(repository, first));
      DAMAGES["removed"](join(repository, second));
      DAMAGES["removed"](join(repository, packPath(packs.data)));
      await client.done(["repair", "index", ...args]);
    }, listedBlobs);
    assert.deepEqual(ours, restics);
    assert.ok(ours.length > 5);
  });
}

test("repair packs saves the same blobs, and repair snapshots makes the same trees", async () => {
  const { ours, restics } = await onBoth(async (client) => {
    DAMAGES["one bit flipped"](join(client.repository, packPath(packs.data)));
    const kept = makeFolder(folder, `kept-${copies}`);
    await client.done(["repair", "packs", packs.data], { cwd: kept });
    assert.deepEqual(readdirSync(kept), [`pack-${packs.data}`]);
    await client.done(["repair", "snapshots", "--forget"]);
  }, treesOf);
  assert.deepEqual(ours, restics);
  const before = (await new Client(RESTIC_018, template).snapshots()).map(({ tree }) => tree);
  assert.notDeepEqual(ours, before.toSorted());
});

test("repair snapshots leaves the same entries, whatever is lost", async () => {
  const lost: [pack: string, args: readonly string[]][] = [
    [packs.data, ["--forget"]],
    [packs.tree, ["--forget"]],
    [packs.data, []],
  ];
  for (const [pack, args] of lost) {
    const { ours, restics } = await onBoth(async (client) => {
      DAMAGES["removed"](join(client.repository, packPath(pack)));
      await client.done(["repair", "index"]);
      await client.done(["repair", "snapshots", ...args]);
    }, entriesOf);
    assert.deepEqual(ours, restics);
    assert.ok(ours.length > 0);
  }
});

test("recover finds the same folders", async () => {
  const { ours, restics } = await onBoth(async (client) => {
    for (const path of filesOf(client.repository, "snapshots")) {
      rmSync(join(client.repository, path));
    }
    await client.done(["recover"]);
  }, entriesOf);
  assert.deepEqual(ours, restics);
  assert.ok(JSON.stringify(ours).includes("recovered"));
});
