import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { before, after, test } from "node:test";
import {
  changesAnything,
  renderPrunePlan,
  renderPruneResult,
} from "../../src/prune/render-prune.ts";
import { parseUnusedLimit } from "../../src/prune/prune-flags.ts";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");

before(async () => {
  await makeQuickRepository(repository);
  const source = scratch.at("source");
  for (const text of ["one", "two"]) {
    writeFileSync(source, text.repeat(1000));
    assert.equal(runComeback(["-r", repository, "backup", "-q", source]).exitCode, 0);
  }
  assert.equal(runComeback(["-r", repository, "forget", "-q", "--keep-last", "1"]).exitCode, 0);
});

const run = (...args: string[]): ReturnType<typeof runComeback> =>
  runComeback(["-r", repository, "prune", ...args]);

test("a dry run shows what would be done, and does nothing", () => {
  for (let round = 0; round < 2; round++) {
    const { stdout, exitCode } = run("--dry-run", "-v");
    assert.equal(exitCode, 0);
    assert.match(stdout, /^in use +\d+ /m);
    assert.match(stdout, /^not in use +\d+ /m);
    assert.match(stdout, /^mark +2 /m);
    assert.match(stdout, /^[0-9a-f]{10} +data .* mark$/m);
    assert.match(stdout, /^nothing was changed$/m);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  }
});

test("with --json there is a plan and a summary", () => {
  const [plan, summary, ...more] = jsonLines(run("--json").stdout);
  assert.deepEqual(more, []);
  assert.equal(plan?.["message_type"], "plan");
  assert.equal(plan?.["mode"], "two-phase");
  assert.equal(plan?.["dry_run"], false);
  assert.ok(Array.isArray(plan?.["changes"]) && plan["changes"].length === 2);
  assert.deepEqual(
    [summary?.["message_type"], summary?.["packs_marked"], summary?.["packs_deleted"]],
    ["summary", 2, 0],
  );
  assert.match(run().stdout, /^wait: marked before +2 .*\n[^]*there was nothing to do$/m);
  assert.match(run("--keep-delete", "0").stdout, /^deleted 2 packs/m);
  const { stdout, stderr } = runComeback(["-r", repository, "check", "--read-data"]);
  assert.match(stdout, /no errors were found/);
  assert.doesNotMatch(stderr, /note/);
});

test("options that make no sense are refused before anything is opened", () => {
  for (const [args, pattern] of [
    [["--max-unused", "100%"], /--max-unused cannot be/],
    [["--max-unused", "much"], /--max-unused cannot be/],
    [["--max-repack-size", "x"], /--max-repack-size cannot be/],
    [["--keep-delete", "tomorrow"], /--keep-delete cannot be/],
    [["--instant", "--keep-delete", "1h"], /--instant keeps nothing/],
    [["--repack-uncompressed", "--compression", "off"], /needs compression/],
    [["--no-lock"], /pruning needs a lock/],
  ] as const) {
    const { exitCode, stderr } = runComeback(["-r", "/nowhere", "prune", ...args]);
    assert.equal(exitCode, 1, args.join(" "));
    assert.match(stderr, pattern);
  }
});

test("a limit is a percentage, a size or none", () => {
  assert.deepEqual(parseUnusedLimit(" 2.5%"), { kind: "percentage", percentage: 2.5 });
  assert.deepEqual(parseUnusedLimit("1k"), { kind: "size", sizeBytes: 1024 });
  assert.deepEqual(parseUnusedLimit("unlimited"), { kind: "unlimited" });
});

test("every action and outcome has its words", () => {
  const each = { keep: 1, repack: 2, remove: 3, adopt: 4, delete: 5, wait: 6, recover: 7, drop: 8 };
  const count = { blobs: 1, bytes: 1024 };
  const plan = {
    mode: "instant",
    snapshots: 1,
    keepDeleteMs: 60_000,
    used: count,
    duplicate: count,
    unused: count,
    remove: count,
    repack: count,
    repackRemove: count,
    unusedAfterBytes: 17,
    packs: each,
    packBytes: each,
    postponed: 1,
    postponedFor: "process 7 on nas\u001b[1m",
    leftOvers: { files: 2, bytes: 2048, paths: ["/data/ab/one", "/data/cd/two\u001b[1m"] },
    changes: [],
  } as const;
  const lines = renderPrunePlan(plan, true).join("\n");
  for (const words of [
    "delete: in no index",
    "take back: needed again",
    "forget: file is missing",
  ]) {
    assert.ok(lines.includes(words), words);
  }
  assert.match(lines, /^2 temporary files of runs that were killed \(2\.0+ KiB\) can be deleted$/m);
  assert.match(lines, /^ {2}\/data\/ab\/one$/m);
  assert.match(lines, /^1 pack would be deleted, but process 7 on nas\S* may be building/m);
  assert.ok(!lines.includes("\u001b"));
  const nothing = {
    mode: "two-phase",
    packsRepacked: 0,
    packsWritten: 0,
    bytesWritten: 0,
    packsMarked: 0,
    bytesMarked: 0,
    packsDeleted: 0,
    bytesDeleted: 0,
    packsRecovered: 0,
    indexFilesWritten: 0,
    indexFilesRemoved: 0,
    leftOversRemoved: 0,
    leftOverBytesRemoved: 0,
  } as const;
  assert.deepEqual(renderPruneResult(nothing, plan), ["there was nothing to do"]);
  assert.deepEqual(renderPruneResult({ ...nothing, packsMarked: 1, packsRecovered: 2 }, plan), [
    "took back 2 packs",
    "marked 1 pack (0 B)",
    "what is marked is deleted by a prune that runs 60 s from now, or later",
  ]);
  const tidied = { ...nothing, leftOversRemoved: 1, leftOverBytesRemoved: 17 };
  assert.deepEqual(renderPruneResult(tidied, plan), ["deleted 1 temporary file (17 B)"]);
  const { packs, packBytes, ...rest } = plan;
  const none = { files: 0, bytes: 0, paths: [] };
  assert.ok(changesAnything({ ...rest, packs, packBytes }));
  assert.ok(!changesAnything({ ...rest, packs, packBytes, leftOvers: none }));
});
