import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertError } from "../drivers/assert-error.ts";
import { jsonLines, PASSWORD } from "../drivers/client.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { replicatePlace } from "./replicate-place.ts";

const place = await replicatePlace("command", 79);
const { folder, corpus, ours, copy, resticOnCopy } = place;

/** The example of docs/reference/replicate.md, which people will begin with. */
const document = readFileSync(
  join(import.meta.dirname, "../../docs/reference/replicate.md"),
  "utf8",
);
const example = /```python\n([^]*?)```/.exec(document)?.[1];
assert.ok(example, "the documentation has an example");
const program = join(folder, "replicate-by-copying");
const log = join(folder, "log");
writeFileSync(program, example.replace(/^import json/m, `${LOGGING()}import json`));
chmodSync(program, 0o755);

/** Notes what the program is given, to see that no secret is in it. */
function LOGGING(): string {
  return `import os\nopen(${JSON.stringify(log)}, "a").write(repr(dict(os.environ)) + "\\n")\n`;
}

const to = ["replicate", "--to", `command:${program} ${copy}`];

test("the documented example keeps a copy that restic checks and restores", async () => {
  await ours.done([...to, "--verify", "all"]);
  await resticOnCopy.done(["check", "--read-data", "--no-lock"]);
  await resticOnCopy.restore("latest", join(folder, "back"), ["--no-lock"]);
  assertSameTree(corpus.folder, join(folder, "back", corpus.folder));
  assert.ok(!readFileSync(log, "utf8").includes(PASSWORD), "the program is given the password");

  corpus.change(30);
  await ours.backup([corpus.folder]);
  await ours.done(["forget", "--keep-last", "1", "--prune", "--instant", "--max-unused", "0"]);
  const finished = await ours.done([...to, "--delete", "--json"]);
  const summary = jsonLines<{ removed_files?: number; compared_files?: number }>(finished).at(-1);
  assert.ok((summary?.removed_files ?? 0) > 0, finished.describe());
  assert.ok((summary?.compared_files ?? 0) > 0, finished.describe());
  for (const kind of ["config", "keys", "data", "index", "snapshots"] as const) {
    assert.deepEqual(storedFiles(copy, kind), storedFiles(ours.repository, kind));
  }
  await resticOnCopy.done(["check", "--read-data", "--no-lock"]);
});

test("contents that differ are found by the program, and named", async () => {
  const [path = ""] = storedFiles(copy, "data");
  const bytes = readFileSync(join(copy, path));
  chmodSync(join(copy, path), 0o600);
  bytes[10]! ^= 1;
  writeFileSync(join(copy, path), bytes);
  const failed = await ours.run([...to, "--verify", "all"]);
  assertError(failed, { exitCode: 1, code: "replicate.incomplete" });
  assert.ok(failed.stdout.includes(path), failed.describe());
  rmSync(join(copy, path));
  await ours.done([...to, "--verify", "all"]);
});

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

test("a program that fails, talks nonsense or cannot compare", async () => {
  const failing = script("failing", "echo 'the tape is full' >&2; exit 5");
  const failed = await ours.run(["replicate", "--to", `command:${failing} --key hunter2`]);
  assertError(failed, {
    exitCode: 1,
    code: "command.failed",
    says: /exit code 5: the tape is full/,
  });
  assert.ok(!failed.describe().split("stdout:")[1]?.includes("hunter2"), failed.describe());

  const nonsense = script("nonsense", "echo hello");
  const unclear = await ours.run(["replicate", "--to", `command:${nonsense}`]);
  assertError(unclear, { exitCode: 1, code: "command.failed", says: /no answer to "list"/ });

  const endless = script("endless", "yes | tr -d '\\n'");
  const bounded = await ours.run(["replicate", "--to", `command:${endless}`]);
  assertError(bounded, { exitCode: 1, code: "command.failed", says: /no end/ });

  const silent = script("silent", "exit 0");
  const lost = await ours.run(["replicate", "--to", `command:${silent}`]);
  assertError(lost, { exitCode: 1, code: "replicate.incomplete", says: /missing/ });

  const blind = script(
    "blind",
    `[ "$COMEBACK_REPLICATE_ACTION" = verify ] && exit 2; exec ${program} ${copy}`,
  );
  const unverified = await ours.done(["replicate", "--to", `command:${blind}`]);
  assert.match(unverified.stdout.toString("utf8"), /NOT verified/);

  const missing = await ours.run(["replicate", "--to", `command:${join(folder, "none")}`]);
  assertError(missing, { exitCode: 1, code: "backend.program-missing" });
  assert.ok(!existsSync(join(folder, "none")));
});
