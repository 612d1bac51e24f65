import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { randomTree } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client, type SnapshotJson } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { inventory } from "../drivers/repository-files.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018, type Tool } from "../drivers/tools.ts";

/** The same rewriting by us and by restic gives the same trees, and the same snapshots but for ids. */
const SEED = 411;
const folder = memoryFolder("rewrite");
const original = join(folder, "original");
const patternFile = join(folder, "patterns");

before(async () => {
  await makeQuickRepository(original);
  const source = join(folder, "source");
  randomTree(source, SEED, { entries: 250 });
  for (const name of ["movie.ISO", "disk.iso", "notes.txt", "caché"]) {
    writeFileSync(join(makeFolder(source, "named", "below"), name), `${name} has content`);
  }
  writeFileSync(patternFile, "# comment\n*.txt\n!notes.txt\n\n/*/**/below/disk.*\n");
  const ours = new Client(COMEBACK, original);
  const theirs = new Client(RESTIC_018, original);
  // One that says how much it holds, one that does not, and one of another host.
  await ours.backup([source]);
  writeFileSync(join(source, "named", "later"), "later");
  await theirs.backup(["."], { cwd: source, args: ["--host", "other", "--tag", "x"] });
  await new Client(RESTIC_014, original).backup([source], {
    args: ["--time", "2020-01-02 03:04:05"],
  });
});

/** The repository before anything was rewritten, for one tool alone. */
function copyFor(tool: Tool, name: string): Client {
  const copy = join(folder, `${name}-${tool.name}`);
  cpSync(original, copy, { recursive: true });
  return new Client(tool, copy);
}

/** Snapshots without what differs by nature, in an order that both have. */
function comparable(snapshots: readonly SnapshotJson[]): string[] {
  return snapshots
    .map(({ id: _id, ...rest }) => {
      const { short_id: _short, ...file } = rest as Record<string, unknown>;
      return JSON.stringify(Object.entries(file).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    })
    .toSorted();
}

const CASES: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: "names", args: ["--exclude", "*.iso", "--exclude", "named/below/notes.txt"] },
  { name: "any case", args: ["--iexclude", "*.ISO", "--iexclude", "CACH*"] },
  { name: "from a file", args: ["--exclude-file", patternFile, "--forget"] },
  { name: "any case from a file", args: ["--iexclude-file", patternFile] },
  { name: "half of all", args: ["--exclude", "[a-m]*", "--exclude", "*[0-4]"] },
  { name: "everything", args: ["--exclude", "*", "--host", "other"] },
  {
    name: "metadata",
    args: ["--new-host", "new", "--new-time", "1999-12-31 23:59:58", "--forget"],
  },
  { name: "all at once", args: ["-e", "*.txt", "--new-host", "h", "-s", "--forget", "--tag", "x"] },
  { name: "summary", args: ["--snapshot-summary"] },
];

for (const { name, args } of CASES) {
  test(`rewriting ${name}, seed ${SEED}`, async () => {
    const ours = copyFor(COMEBACK, name);
    const theirs = copyFor(RESTIC_018, name);
    await ours.done(["rewrite", ...args]);
    await theirs.done(["rewrite", ...args]);
    const [mine, other] = [await ours.snapshots(), await theirs.snapshots()];
    assert.deepEqual(comparable(mine), comparable(other));
    await new Client(RESTIC_018, ours.repository).check();
  });
}

test("restic 0.14 restores what a rewriting left, and nothing that it left out", async () => {
  const ours = copyFor(COMEBACK, "restored");
  await ours.done(["rewrite", "--exclude", "*.iso", "--forget", "latest"]);
  const old = new Client(RESTIC_014, ours.repository);
  const { stdout } = await old.done(["ls", "latest"]);
  assert.ok(stdout.includes("movie.ISO") && !stdout.includes("disk.iso"));
  await old.check();
});

test("a dry run shows what would be done, and changes no file", async () => {
  const ours = copyFor(COMEBACK, "dry");
  const files = inventory(ours.repository);
  const { stdout } = await ours.done(["rewrite", "--exclude", "*.iso", "--forget", "--dry-run"]);
  assert.match(stdout.toString(), /3 snapshots would be rewritten, the old ones would be removed/);
  const dryRun = ["rewrite", "--exclude", "*.iso", "--dry-run"];
  const message = await ours.json<{ rewritten: { tree: string }[] }>(dryRun);
  assert.deepEqual(inventory(ours.repository), files);
  await ours.done(["rewrite", "--exclude", "*.iso", "--forget"]);
  assert.deepEqual(
    new Set(message.rewritten.map(({ tree }) => tree)),
    new Set((await ours.snapshots()).map(({ tree }) => tree)),
  );
});

test("large files are left out by their size, and held snapshots stay", async () => {
  const ours = copyFor(COMEBACK, "large");
  const before = await ours.snapshots();
  await ours.done(["tag", "--add", "comeback:hold", "latest"]);
  const args = ["rewrite", "--exclude-larger-than", "10000", "--forget"];
  const refused = { exitCode: 1, code: "rewrite.incomplete", says: /held/ };
  assertError(await ours.run(args), refused);
  const after = await ours.snapshots();
  assert.equal(after.length, before.length);
  const held = after.find(({ tags }) => tags?.includes("comeback:hold"));
  assert.equal(held?.tree, before.at(-1)?.tree);
  const [first] = after;
  const list = ["ls", first?.id ?? ""];
  const listing = await ours.lines<{ type?: string; size?: number }>(list);
  const sizes = listing.filter(({ type }) => type === "file").map(({ size = 0 }) => size);
  assert.ok(sizes.length > 0 && sizes.every((size) => size <= 10_000));
});

test("a rewriting of nothing, and one without a lock, are refused", async () => {
  const ours = new Client(COMEBACK, original);
  const refused = { exitCode: 1, code: "option.invalid" };
  assertError(await ours.run(["rewrite"]), refused);
  assertError(await ours.run(["rewrite", "--exclude", "[", "--forget"]), refused);
  assertError(await ours.run(["rewrite", "--new-host", "x", "--no-lock"]), refused);
});
