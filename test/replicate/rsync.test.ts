import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertError } from "../drivers/assert-error.ts";
import { jsonLines } from "../drivers/client.ts";
import { filesOf, inventory, storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder } from "../drivers/scratch.ts";
import { SshServer } from "../services/openssh/ssh-server.ts";
import { SshUser } from "../services/openssh/ssh-user.ts";
import { replicatePlace } from "./replicate-place.ts";

const SEED = 77;
const place = await replicatePlace("rsync", SEED);
const { folder, random, corpus, ours, copy, oursOnCopy, resticOnCopy } = place;
const server = await SshServer.start({ folder: join(folder, "server") });
const user = new SshUser(join(folder, "user"));
server.allow(user.publicKey);
user.trust(server);
user.addHost("far", server);
const env = user.environment;
const to = ["replicate", "--to", `rsync:far:${copy}`];
const KINDS = ["config", "keys", "data", "index", "snapshots"] as const;

function assertSameFiles(): void {
  for (const kind of KINDS) {
    assert.deepEqual(storedFiles(copy, kind), storedFiles(ours.repository, kind));
  }
  assert.ok(!existsSync(join(copy, "locks")), "locks stay where they are");
}

test("a dry run changes nothing; a run makes a copy that restic checks and restores", async () => {
  const planned = await ours.done([...to, "--dry-run", "--json"], { env });
  assert.ok(!existsSync(copy));
  const [plan] = jsonLines<{ stages: { action: string; type: string }[] }>(planned);
  assert.deepEqual(
    plan?.stages.map(({ action, type }) => `${action} ${type}`),
    ["send key", "send config", "send pack", "send index", "send snapshot"],
  );
  await ours.done([...to, "--verify", "all"], { env });
  assertSameFiles();
  await resticOnCopy.done(["check", "--read-data"]);
  await resticOnCopy.restore("latest", join(folder, "back"));
  assertSameTree(corpus.folder, join(folder, "back", corpus.folder));
  rmSync(join(copy, "locks"), { recursive: true, force: true });
  const before = inventory(copy);
  await ours.done(to, { env });
  assert.deepEqual(inventory(copy), before);
});

test(`interrupted at any moment, sending and removing: always a whole repository, seed ${SEED}`, async () => {
  let interrupted = 0;
  for (let round = 0; round < 6; round++) {
    corpus.change(40);
    await ours.backup([corpus.folder]);
    await ours.done(["forget", "--keep-last", "1", "--prune", "--instant", "--max-unused", "0"]);
    const kind = (["data", "index", "snapshots"] as const)[round % 3]!;
    const before = filesOf(copy, kind).join();
    const running = ours.start([...to, "--delete"], { env, ownGroup: true });
    const waits = random.integer(0, 30);
    while (running.child.exitCode === null && filesOf(copy, kind).join() === before) await turn();
    for (let i = 0; i < waits && running.child.exitCode === null; i++) await turn();
    // Half of the time nobody can tidy up; else as Ctrl-C does it.
    if (running.child.exitCode === null) {
      process.kill(-running.pid, round % 2 === 0 ? "SIGKILL" : "SIGINT");
    }
    const finished = await running.finished;
    if (finished.exitCode !== 0) interrupted++;
    server.dropSessions();
    await resticOnCopy.done(["check", "--read-data", "--no-lock"]);
    rmSync(join(copy, "locks"), { recursive: true, force: true });
    await ours.done(["unlock", "--remove-all"]);
  }
  assert.ok(interrupted > 0, "no run was interrupted in time");
  await ours.done([...to, "--delete", "--verify", "all"], { env });
  assertSameFiles();
  await oursOnCopy.done(["check", "--read-data", "--no-lock"]);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("backups go on while it runs, and the copy is whole", async () => {
  corpus.change(50);
  const [finished] = await Promise.all([
    ours.run(to, { env }),
    ours.backup([corpus.folder]),
    ours.backup([corpus.folder]),
  ]);
  assert.equal(finished.exitCode, 0, finished.describe());
  await resticOnCopy.done(["check", "--read-data", "--no-lock"]);
  rmSync(join(copy, "locks"), { recursive: true, force: true });
});

test("what differs is named, and neither overwritten nor a reason to remove anything", async () => {
  const { snapshot_id: extra } = await ours.backup([corpus.folder]);
  await ours.done(to, { env });
  await ours.done(["forget", extra]);
  const [longer, flipped] = storedFiles(copy, "data");
  assert.ok(longer !== undefined && flipped !== undefined);
  appendFileSync(join(copy, longer), "x");
  const bytes = readFileSync(join(copy, flipped));
  bytes[100]! ^= 1;
  writeFileSync(join(copy, flipped), bytes);
  const failed = await ours.run([...to, "--delete", "--verify", "all"], { env });
  assertError(failed, { exitCode: 1, code: "replicate.incomplete", says: /SHA-256/ });
  const said = failed.stdout.toString("utf8");
  assert.ok(said.includes(longer) && said.includes(flipped), failed.describe());
  assert.deepEqual(readFileSync(join(copy, flipped)), bytes);
  assert.ok(existsSync(join(copy, "snapshots", extra)));
  for (const path of [longer, flipped]) rmSync(join(copy, path));
  await ours.done([...to, "--delete", "--verify", "all"], { env });
  assertSameFiles();
});

test("another repository's folder is refused, and left as it is", async () => {
  const other = await replicatePlace("other", 78);
  const before = inventory(copy);
  const args = ["replicate", "--delete", "--to", `rsync:far:${copy}`];
  const refused = await other.ours.run(args, { env });
  assertError(refused, { exitCode: 1, code: "replicate.other-repository" });
  assert.deepEqual(inventory(copy), before);
  const headless = makeFolder(folder, "headless", "data", "ab");
  writeFileSync(join(headless, "ab".repeat(32)), "x");
  const to = `rsync:${join(folder, "headless")}`;
  const lost = await ours.run(["replicate", "--to", to], { env });
  assertError(lost, { exitCode: 1, code: "replicate.other-repository", says: /no config/ });
});

test("no way there, no rsync, and what makes no sense: clear errors", async () => {
  const unknown = await ours.run(["replicate", "--to", "rsync:nowhere.invalid:/x"], { env });
  assertError(unknown, { exitCode: 1, code: "backend.unreachable" });
  for (const wrong of ["ftp:x", "rsync:", "rsync:-x", "command:"]) {
    const finished = await ours.run(["replicate", "--to", wrong], { env });
    assertError(finished, { exitCode: 1, code: "option.invalid" });
  }
  const inplace = await ours.run([...to, "--rsync-args=--inplace"], { env });
  assertError(inplace, { exitCode: 1, code: "option.invalid", says: /--inplace/ });
  const locked = await ours.run([...to, "--no-lock"], { env });
  assertError(locked, { exitCode: 1, code: "option.invalid", says: /lock/ });
});
