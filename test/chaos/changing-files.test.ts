import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { AT_FDCWD, mknodAt, S_IFIFO } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { Client, jsonLines } from "../drivers/client.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import type { Finished } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { signalAtWrite } from "../drivers/signal-at-write.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

const SEED = 11_001;
const MiB = 1024 * 1024;
const folder = scratchFolder("changing");

async function newRepository(name: string): Promise<Client> {
  const ours = new Client(COMEBACK, join(folder, name));
  await initQuickly(ours);
  return ours;
}

/** Paths below `source` that the run named as not saved as they should be. */
function namedBelow(source: string, finished: Finished): string[] {
  const messages = finished.stderr.split("\n").filter((line) => line.startsWith("{"));
  return messages
    .map((line) => JSON.parse(line) as { message_type: string; item?: string })
    .filter(({ message_type: type }) => type === "error")
    .map(({ item = "" }) => item.slice(source.length + 1))
    .toSorted();
}

function snapshotIdOf(finished: Finished): string {
  const summary = jsonLines<{ message_type: string; snapshot_id?: string }>(finished).find(
    ({ message_type: type }) => type === "summary",
  );
  assert.ok(summary?.snapshot_id !== undefined, finished.describe());
  return summary.snapshot_id;
}

/** What happens to a file between the moment it was listed and the moment it is opened. */
type Change = (path: string) => void;

function makeFifo(path: string): void {
  mknodAt(AT_FDCWD, path, S_IFIFO | 0o644, 0);
}

const LOST_CHANGES: Readonly<Record<string, Change>> = {
  vanished: (path) => rmSync(path),
  "moved-away": (path) => renameSync(path, join(folder, "moved")),
  "fifo-now": (path) => {
    rmSync(path);
    makeFifo(path);
  },
  "symlink-now": (path) => {
    rmSync(path);
    symlinkSync("/etc/passwd", path);
  },
  "folder-now": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
};

/** These are read as they are by then, which is as good as any other moment. */
const KEPT_CHANGES: Readonly<Record<string, Change>> = {
  rewritten: (path) => writeFileSync(path, "other content, same file"),
  replaced: (path) => {
    writeFileSync(`${path}.new`, "other content, other file");
    renameSync(`${path}.new`, path);
  },
  emptied: (path) => truncateSync(path, 0),
  shrunk: (path) => truncateSync(path, 5),
  grown: (path) => appendFileSync(path, "and more\n".repeat(1000)),
  "grown-large": (path) => appendFileSync(path, new SeededRandom(SEED).bytes(9 * MiB)),
};

/** The state follows the name in parentheses (proc(5)). */
function isStopped(pid: number): boolean {
  return / T /.test(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, ""));
}

test("files that changed between listing and reading: lost ones are named, others saved as they are", async () => {
  const ours = await newRepository("between");
  const source = makeFolder(folder, "source");
  const random = new SeededRandom(SEED);
  // In the order of names these come first, and keep the backup busy: the rest has been listed by
  // the time the first pack is written, and not been opened.
  for (let i = 0; i < 24; i++) writeFileSync(join(source, `a-${i}`), random.bytes(9 * MiB));
  const names = { lost: Object.keys(LOST_CHANGES), kept: Object.keys(KEPT_CHANGES) };
  for (const name of [...names.lost, ...names.kept, "untouched"]) {
    writeFileSync(join(source, `small-${name}`), `content of ${name}\n`);
    writeFileSync(join(source, `z-large-${name}`), random.bytes(9 * MiB));
  }

  // It stops itself there: whoever looks from outside may come too late on a busy machine.
  const below = join(ours.repository, "data");
  const env = signalAtWrite({ below, signal: "SIGSTOP", moment: 1 });
  const running = ours.start(["backup", "--json", source], { env });
  await waitUntil("the first pack", () => isStopped(running.pid));
  for (const [name, change] of Object.entries({ ...LOST_CHANGES, ...KEPT_CHANGES })) {
    change(join(source, `small-${name}`));
    change(join(source, `z-large-${name}`));
  }
  process.kill(running.pid, "SIGCONT");
  const finished = await running.finished;
  assert.equal(finished.exitCode, 3, finished.describe());
  const expected = names.lost.flatMap((name) => [`small-${name}`, `z-large-${name}`]).toSorted();
  assert.deepEqual(namedBelow(source, finished), expected);

  // What was lost is not in the snapshot in any form; everything else is, as it was when read.
  const target = makeFolder(folder, "restored");
  await ours.restore(`${snapshotIdOf(finished)}:${source}`, target);
  for (const path of expected) rmSync(join(source, path), { recursive: true, force: true });
  assertSameTree(source, target, { ignore: ["mtime"], tops: false });
  assertSameTree(source, target, { tops: false });
  await new Client(RESTIC_018, ours.repository).check();

  // And the next backup finds nothing left to do.
  const next = await ours.backup([source]);
  assert.equal(next.data_blobs, 0);
});

/** Rewrites and appends to the files given, as fast as it can, until it is killed. */
const WRITER = `
const { appendFileSync, openSync, writeSync, ftruncateSync } = require("node:fs");
const [append, rewrite, shrink, replace] = process.argv.slice(1);
const { renameSync, writeFileSync } = require("node:fs");
const fds = [append, rewrite, shrink].map((path) => openSync(path, "r+"));
for (let i = 0; ; i++) {
  writeSync(fds[0], "one line more\\n", 20_000_000 + i * 14);
  writeSync(fds[1], Buffer.from([i & 255]), 0, 1, (i * 4099) % 20_000_000);
  ftruncateSync(fds[2], 20_000_000 - (i % 20_000_000));
  if (i % 50 === 0) { writeFileSync(replace + ".new", "x".repeat(i % 5000)); renameSync(replace + ".new", replace); }
}`;

test("files that are written all the time are named, and everything else is saved", async () => {
  const ours = await newRepository("always");
  const source = makeFolder(folder, "written");
  const random = new SeededRandom(SEED);
  const busy = ["appended", "rewritten", "shrinking"];
  for (const name of busy) writeFileSync(join(source, name), random.bytes(20_000_000));
  writeFileSync(join(source, "replaced"), "x");
  const quiet = makeFolder(source, "quiet");
  for (let i = 0; i < 200; i++) writeFileSync(join(quiet, `file-${i}`), random.bytes(20_000));

  const paths = [...busy, "replaced"].map((name) => join(source, name));
  const writer = spawn(process.execPath, ["-e", WRITER, ...paths], { stdio: "inherit" });
  after(() => writer.kill("SIGKILL"));
  await waitUntil("the writer", () => statSync(join(source, "appended")).size > 20_000_000);
  const finished = await ours.run(["backup", "--json", source]);
  const second = await ours.run(["backup", "--json", "--force", source]);
  writer.kill("SIGKILL");

  for (const run of [finished, second]) {
    assert.equal(run.exitCode, 3, run.describe());
    const named = namedBelow(source, run);
    // The one that is replaced may be lucky, the temporary one beside it unlucky.
    for (const name of busy) assert.ok(named.includes(name), run.describe());
    const allowed = [...busy, "replaced", "replaced.new"];
    assert.deepEqual(
      named.filter((name) => !allowed.includes(name)),
      [],
    );
    const target = makeFolder(folder, `restored-${snapshotIdOf(run)}`);
    await ours.restore(`${snapshotIdOf(run)}:${quiet}`, target);
    assertSameTree(quiet, target, { tops: false });
  }
  await new Client(RESTIC_018, ours.repository).check();
  await ours.check();
});

test("a folder that vanishes while it is walked", async () => {
  const ours = await newRepository("folders");
  const source = makeFolder(folder, "folders-source");
  const random = new SeededRandom(SEED + 1);
  for (let i = 0; i < 24; i++) writeFileSync(join(source, `a-${i}`), random.bytes(9 * MiB));
  for (const name of ["gone", "file-now", "kept"]) {
    const sub = makeFolder(source, "zz", name, "deep");
    writeFileSync(join(sub, "file"), name);
  }
  // It stops itself there: whoever looks from outside may come too late on a busy machine.
  const below = join(ours.repository, "data");
  const env = signalAtWrite({ below, signal: "SIGSTOP", moment: 1 });
  const running = ours.start(["backup", "--json", source], { env });
  await waitUntil("the first pack", () => isStopped(running.pid));
  rmSync(join(source, "zz", "gone"), { recursive: true });
  rmSync(join(source, "zz", "file-now"), { recursive: true });
  writeFileSync(join(source, "zz", "file-now"), "a file by now");
  process.kill(running.pid, "SIGCONT");
  const finished = await running.finished;
  // The walk may have been there before or after; it never fails, and never makes things up.
  assert.ok(finished.exitCode === 0 || finished.exitCode === 3, finished.describe());
  for (const name of namedBelow(source, finished)) assert.match(name, /^zz\/(gone|file-now)/);
  const target = makeFolder(folder, "folders-restored");
  await ours.restore(`${snapshotIdOf(finished)}:${source}/zz/kept`, target);
  assertSameTree(join(source, "zz", "kept"), target, { tops: false });
  await new Client(RESTIC_018, ours.repository).check();
});
