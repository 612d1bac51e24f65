import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, type Outcome, runComeback, ScratchFolder } from "./run-comeback.ts";

/** What `diff`, `find`, `dump`, `list` and `ls` make of their options. */
const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const source = scratch.at("source");
mkdirSync(`${source}/folder`, { recursive: true });
writeFileSync(`${source}/folder/small.txt`, "small\n");
writeFileSync(`${source}/large.bin`, "x".repeat(5000));
await makeQuickRepository(repository);
run("backup", source);
writeFileSync(`${source}/folder/small.txt`, "other\n");
run("backup", source);

function run(...args: string[]): Outcome {
  return runComeback(["-r", repository, ...args]);
}

function lines(...args: string[]): string[] {
  const { exitCode, stdout, stderr } = run(...args);
  assert.equal(exitCode, 0, stderr);
  return stdout.trimEnd().split("\n");
}

const snapshots = JSON.parse(lines("snapshots", "--json").join("")) as { id: string }[];
const [first = "", second = ""] = snapshots.map(({ id }) => id);

test("diff: changes with their letters, then a table", () => {
  const text = lines("diff", `${first}:${source}`, `${second}:${source}`);
  const ids = text[0]?.match(/^comparing snapshot ([0-9a-f]{8}) to ([0-9a-f]{8}):$/);
  assert.deepEqual(ids?.slice(1), [first.slice(0, 8), second.slice(0, 8)]);
  assert.equal(text[2], "M    /folder/small.txt");
  assert.ok(text.some((line) => /^files +0 +0 +1$/.test(line)));
  assert.ok(text.every((line) => line.length <= 80));
  const quiet = lines("--quiet", "diff", first, second);
  assert.ok(!quiet.some((line) => line.includes("small.txt")));
});

test("find: by name, size and time, long or in short", () => {
  const found = lines("find", "*.txt", "--snapshot", first);
  assert.match(found[0] ?? "", /^Found matching entries in snapshot [0-9a-f]{8} from 20\d\d-/);
  assert.deepEqual(found.slice(1), [`${source}/folder/small.txt`]);
  const large = lines("--quiet", "find", "--size", "+1k", "--size", "-1M", "--long", "*");
  assert.equal(large.filter((line) => line !== "").length, 2);
  assert.match(large[0] ?? "", /^-rw\S+ +\d+ +\d+ +5000 .*\/large\.bin$/);
  assert.deepEqual(lines("find", "--newest", "2001-01-01", "*"), [""]);
  const objects = JSON.parse(lines("--json", "find", "nothing").join("")) as unknown[];
  assert.deepEqual(objects, []);
});

test("dump: a file, and a folder into a target", () => {
  assert.deepEqual(lines("dump", first, `${source}/folder/small.txt`), ["small"]);
  assert.deepEqual(lines("dump", `latest:${source}/folder`, "small.txt"), ["other"]);
  const target = scratch.at("archive.zip");
  assert.deepEqual(lines("dump", "latest", source, "--archive", "zip", "--target", target), [""]);
  assert.equal(readFileSync(target).toString("latin1", 0, 4), "PK\x03\x04");
});

test("ls: below folders with -R, and ncdu's format", () => {
  const below = lines("--quiet", "ls", "-R", `latest:${source}`, "/folder");
  assert.deepEqual(below, ["/folder", "/folder/small.txt"]);
  const [major] = JSON.parse(lines("ls", "--ncdu", "latest").join("\n")) as number[];
  assert.equal(major, 1);
});

test("ls: ncdu sorts by itself", () => {
  const { exitCode, stderr } = run("ls", "latest", "--ncdu", "--sort", "size");
  assert.equal(exitCode, 1);
  assert.match(stderr, /^error: ncdu sorts by itself/);
});

test("list: the same snapshots, one a line", () => {
  assert.deepEqual(lines("list", "snapshots").toSorted(), [first, second].toSorted());
  assert.deepEqual(lines("list", "locks"), [""]);
});

test("stats --mode growth: a line for each snapshot, in order", () => {
  const text = lines("stats", "--mode", "growth");
  assert.deepEqual(
    text.slice(2).map((line) => line.slice(0, 8)),
    [first.slice(0, 8), second.slice(0, 8)],
  );
  assert.ok(text.every((line) => line.length <= 80));
});

for (const [args, problem] of [
  [["find", "--blob", "--tree", "00"], "ids are of one kind at a time"],
  [["find", "--blob", "xyz"], 'the id of a blob cannot be "xyz"'],
  [
    ["find", "--blob", "--oldest", "2026-01-01", "00"],
    "times and sizes do not go together with ids",
  ],
  [["find", "--oldest", "2026-01-02", "--newest", "2026-01-01", "*"], "nothing is as old as"],
  [["find", "--oldest", "soon", "*"], '--oldest cannot be "soon"'],
  [["find", "--size", "many", "*"], '--size cannot be "many"'],
  [["find", "[a", "--snapshot", "latest"], "find: not a valid pattern"],
  [["diff", "latest"], "missing required argument"],
  [["diff", "latest", "ffffffff"], "there is no snapshot ffffffff"],
  [["dump", "latest", "/nowhere"], "/nowhere is not in the snapshot"],
  [["dump", "latest", "/", "--archive", "rar"], '--archive cannot be "rar"'],
  [["list", "files"], 'the kind of object cannot be "files"'],
  [["ls", "latest", "--ncdu", "--json"], "--ncdu is a format"],
  [["cache", "--max-age", "old"], '--max-age cannot be "old"'],
  [["cache", "--no-cache"], "--no-cache leaves nothing to do here"],
  [["stats", "--mode", "magic"], '--mode cannot be "magic"'],
] as const) {
  test(`refused: ${args.join(" ")}`, () => {
    const { exitCode, stdout, stderr } = run("--json", ...args);
    assert.equal(exitCode, 1);
    assert.equal(stdout, "");
    const [message] = jsonLines(stderr);
    assert.ok(String(message?.["message"]).startsWith(problem), stderr);
  });
}
