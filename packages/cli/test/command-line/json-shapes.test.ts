import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, type Outcome, runComeback, ScratchFolder } from "./run-comeback.ts";

/**
 * The keys of restic 0.18.0's messages, as its own runs print them (test/interop/cli compares with
 * the program itself). A field that is zero or empty may be missing, as there.
 */
const STATUS = [
  "message_type",
  "seconds_elapsed",
  "seconds_remaining",
  "percent_done",
  "total_files",
  "files_done",
  "total_bytes",
  "bytes_done",
  "error_count",
  "current_files",
];
const SUMMARY_COUNTS = [
  "files_new",
  "files_changed",
  "files_unmodified",
  "dirs_new",
  "dirs_changed",
  "dirs_unmodified",
  "data_blobs",
  "tree_blobs",
  "data_added",
  "data_added_packed",
  "total_files_processed",
  "total_bytes_processed",
];
const BACKUP_SUMMARY = [
  "message_type",
  ...SUMMARY_COUNTS,
  "total_duration",
  "backup_start",
  "backup_end",
];
const SNAPSHOT = [
  "time",
  "tree",
  "paths",
  "hostname",
  "username",
  "program_version",
  "summary",
  "id",
  "short_id",
  // Left out where they are zero.
  ...(process.getuid?.() === 0 ? [] : ["uid", "gid"]),
];
const NODE = [
  "name",
  "type",
  "path",
  "uid",
  "gid",
  "mode",
  "permissions",
  "mtime",
  "atime",
  "ctime",
  "inode",
  "message_type",
  "struct_type",
];
const VERBOSE_STATUS = [
  "message_type",
  "action",
  "item",
  "duration",
  "data_size",
  "data_size_in_repo",
  "metadata_size",
  "metadata_size_in_repo",
  "total_files",
];
const EXIT_ERROR = ["message_type", "code", "message"];

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const source = scratch.at("source");
mkdirSync(source);
writeFileSync(`${source}/file`, "content\n");
symlinkSync("file", `${source}/link`);
await makeQuickRepository(repository);

function run(...args: string[]): Outcome {
  return runComeback(["-r", repository, "--json", ...args]);
}

function assertKeys(value: unknown, keys: readonly string[]): void {
  assert.deepEqual(Object.keys(value as object).toSorted(), keys.toSorted());
}

test("init", () => {
  const place = scratch.at("made");
  const { stdout } = runComeback(["-r", place, "init", "--json"]);
  const [message, ...rest] = jsonLines(stdout);
  assert.deepEqual(rest, []);
  assertKeys(message, ["message_type", "id", "repository"]);
  assert.equal(message?.["message_type"], "initialized");
  assert.equal(message?.["repository"], place);
});

test("backup: status while it runs, the items with -vv, the summary at the end", () => {
  const fast = { env: { RESTIC_PROGRESS_FPS: "60" } };
  const args = ["-r", repository, "--json", "-vv", "backup", source];
  const lines = jsonLines(runComeback(args, fast).stdout);
  for (const line of lines.filter((message) => message["message_type"] === "status")) {
    for (const key of Object.keys(line)) assert.ok(STATUS.includes(key), key);
  }
  const items = lines.filter((message) => message["message_type"] === "verbose_status");
  for (const item of items) assertKeys(item, VERBOSE_STATUS);
  const actions = items.map(({ action, item }) => `${String(action)} ${String(item)}`);
  assert.ok(actions.includes(`new ${source}/file`));
  assert.ok(actions.includes(`new ${source}/`));
  assert.ok(actions.includes("scan_finished "));
  const summary = lines.at(-1);
  assertKeys(summary, [...BACKUP_SUMMARY, "snapshot_id"]);
  assert.match(String(summary?.["snapshot_id"]), /^[0-9a-f]{64}$/);
  assert.equal(summary?.["files_new"], 1);
});

test("backup of what cannot be read: an error message each, and exit_error with code 3", () => {
  const { exitCode, stdout, stderr } = run("backup", source, "/does/not/exist");
  assert.equal(exitCode, 3);
  const [error, exitError, ...rest] = jsonLines(stderr);
  assert.deepEqual(rest, []);
  assertKeys(error, ["message_type", "error", "during", "item"]);
  assertKeys(error?.["error"], ["message"]);
  assert.equal(error?.["item"], "/does/not/exist");
  assertKeys(exitError, EXIT_ERROR);
  assert.equal(exitError?.["code"], 3);
  assertKeys(jsonLines(stdout).at(-1), [...BACKUP_SUMMARY, "snapshot_id"]);
});

test("backup --dry-run has no snapshot and says so", () => {
  const summary = jsonLines(run("backup", source, "--dry-run").stdout).at(-1);
  assertKeys(summary, [...BACKUP_SUMMARY, "dry_run"]);
});

test("snapshots, alone and in groups", () => {
  const [snapshots] = jsonLines(run("snapshots").stdout) as unknown as object[][];
  const [first, second] = snapshots ?? [];
  assertKeys(first, SNAPSHOT);
  assertKeys(second, [...SNAPSHOT, "parent"]);
  assertKeys((first as { summary: unknown }).summary, [
    ...SUMMARY_COUNTS,
    "backup_start",
    "backup_end",
  ]);
  const groups = JSON.parse(run("snapshots", "--group-by", "host,tags").stdout) as object[];
  assert.equal(groups.length, 1);
  assertKeys(groups[0], ["group_key", "snapshots"]);
  const { group_key: key } = groups[0] as { group_key: Record<string, unknown> };
  assertKeys(key, ["hostname", "paths", "tags"]);
  assert.equal(key["paths"], null);
  assert.equal(key["tags"], null);
});

test("ls: the snapshot, then a line for each node", () => {
  const [snapshot, ...nodes] = jsonLines(run("ls", `latest:${source}`).stdout);
  assertKeys(snapshot, [...SNAPSHOT, "parent", "message_type", "struct_type"]);
  const [file, link] = nodes;
  assertKeys(file, [...NODE, "size"]);
  assertKeys(link, NODE);
  assert.equal(file?.["path"], "/file");
  assert.equal(link?.["permissions"], "Lrwxrwxrwx");
});

test("restore", () => {
  const lines = jsonLines(run("restore", "latest", "-t", scratch.at("target"), "-vv").stdout);
  const item = lines.find((message) => message["item"] === `${source}/file`);
  assertKeys(item, ["message_type", "action", "item", "size"]);
  assert.equal(item?.["action"], "restored");
  const summary = lines.at(-1);
  const known = [
    "message_type",
    "seconds_elapsed",
    "total_files",
    "files_restored",
    "files_skipped",
    "files_deleted",
    "total_bytes",
    "bytes_restored",
    "bytes_skipped",
  ];
  for (const key of Object.keys(summary ?? {})) assert.ok(known.includes(key), key);
  assert.equal(summary?.["message_type"], "summary");
  assert.equal(summary?.["total_bytes"], 8);
});

test("check, stats, cat and version", () => {
  const [check] = jsonLines(run("check").stdout);
  assert.deepEqual(check, {
    message_type: "summary",
    num_errors: 0,
    broken_packs: null,
    suggest_repair_index: false,
    suggest_prune: false,
  });
  const [restoreSize] = jsonLines(run("stats").stdout);
  assertKeys(restoreSize, ["total_size", "total_file_count", "snapshots_count"]);
  const [raw] = jsonLines(run("stats", "--mode", "raw-data").stdout);
  assertKeys(raw, [
    "total_size",
    "total_uncompressed_size",
    "compression_ratio",
    "compression_progress",
    "compression_space_saving",
    "total_blob_count",
    "snapshots_count",
  ]);
  assertKeys(JSON.parse(run("cat", "config").stdout), ["version", "id", "chunker_polynomial"]);
  const [version] = jsonLines(run("version").stdout);
  assert.equal(version?.["message_type"], "version");
});

test("an error is restic's exit_error on stderr, also for a command line that is wrong", () => {
  for (const [args, code] of [
    [["-r", "/nowhere", "--json", "snapshots"], 10],
    [["--json", "snapshots", "--bogus"], 1],
  ] as const) {
    const { exitCode, stdout, stderr } = runComeback(args);
    assert.equal(exitCode, code);
    assert.equal(stdout, "");
    const [message, ...rest] = jsonLines(stderr);
    assert.deepEqual(rest, []);
    assertKeys(message, EXIT_ERROR);
    assert.equal(message?.["message_type"], "exit_error");
    assert.equal(message?.["code"], code);
  }
});
