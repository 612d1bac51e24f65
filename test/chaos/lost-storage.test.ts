import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { endInput, feed } from "../drivers/feed.ts";
import { BindMount } from "../drivers/mounts.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { filesOf, storedFiles } from "../drivers/repository-files.ts";
import type { Running } from "../drivers/run-program.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

const SEED = 9_001;
const MiB = 1024 * 1024;
const folder = scratchFolder("lost-storage");
const STDIN = ["--stdin", "--stdin-filename", "stream.bin"];
const first = new SeededRandom(SEED).bytes(64 * MiB);
const second = new SeededRandom(SEED + 1).bytes(64 * MiB);

/** A repository on a mount that can be taken away. */
async function repositoryOnMount(
  name: string,
): Promise<{ ours: Client; mount: BindMount; real: string }> {
  const real = makeFolder(folder, `${name}-disk`);
  const mount = new BindMount(real, join(folder, name));
  const ours = new Client(COMEBACK, join(mount.folder, "repository"));
  await initQuickly(ours);
  return { ours, mount, real: join(real, "repository") };
}

/** A backup that has stored two packs and waits for more input. */
async function startBackup(ours: Client, real: string): Promise<Running> {
  const before = filesOf(real, "data").length;
  const running = ours.start(["backup", ...STDIN], { inputStaysOpen: true });
  await feed(running, first);
  await waitUntil("two packs", () => storedFiles(real, "data").length >= before + 2);
  return running;
}

async function proveWhole(ours: Client): Promise<void> {
  const theirs = new Client(RESTIC_018, ours.repository);
  await ours.check();
  await ours.backup(STDIN, { input: first });
  await theirs.done(["unlock"]);
  await theirs.check();
  const { stdout } = await theirs.done(["dump", "latest", "/stream.bin"]);
  assert.ok(stdout.equals(first));
}

test("a mount that vanishes during a backup", async () => {
  const { ours, mount, real } = await repositoryOnMount("vanishes");
  const running = await startBackup(ours, real);
  mount.vanish();
  await feed(running, second);
  endInput(running);
  const failed = await running.finished;
  assertError(failed, { exitCode: 1, code: "backend.not-mounted" });
  // Nothing was written to the bare mount point, where it would be hidden afterwards.
  assert.deepEqual(readdirSync(mount.folder), []);
  const afterwards = await ours.run(["snapshots"]);
  assert.equal(afterwards.exitCode, 10, afterwards.describe());
  mount.attach();
  assert.deepEqual(filesOf(real, "snapshots"), []);
  await proveWhole(ours);
});

test("storage that becomes read-only during a backup", async () => {
  const { ours, mount, real } = await repositoryOnMount("read-only");
  const running = await startBackup(ours, real);
  await waitUntil("a moment without an open file", () => mount.makeReadOnly());
  await feed(running, second);
  endInput(running);
  const failed = await running.finished;
  assertError(failed, { exitCode: 1, code: "backend.read-only" });

  // Reading does not need to write: not even a lock, where that is asked for.
  const refused = await ours.run(["backup", folder]);
  assertError(refused, { exitCode: 1, code: "backend.read-only" });
  await ours.done(["--no-lock", "check", "--read-data"]);
  mount.makeWritable();
  assert.deepEqual(filesOf(real, "snapshots"), []);
  await proveWhole(ours);
});

test("another repository mounted over the one that is being written", async () => {
  const { ours, mount, real } = await repositoryOnMount("swapped");
  const other = makeFolder(folder, "other-disk");
  await initQuickly(new Client(COMEBACK, join(other, "repository")));
  const before = filesOf(join(other, "repository"), "data");
  const running = await startBackup(ours, real);
  const cover = new BindMount(other, mount.folder);
  await feed(running, second);
  endInput(running);
  const failed = await running.finished;
  assertError(failed, { exitCode: 1, code: "backend.not-mounted" });
  assert.deepEqual(filesOf(join(other, "repository"), "data"), before);
  assert.deepEqual(filesOf(join(other, "repository"), "index"), []);
  cover.vanish();
  await proveWhole(ours);
});
