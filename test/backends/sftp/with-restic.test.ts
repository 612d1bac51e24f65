import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { assertError } from "../../drivers/assert-error.ts";
import { Client, PASSWORD } from "../../drivers/client.ts";
import { Corpus } from "../../drivers/corpus.ts";
import { assertSameTree } from "../../drivers/same-tree.ts";
import { makeFolder } from "../../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../../drivers/tools.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import { startPlace } from "./sftp-fixture.ts";

const SEED = 9_001;
const place = await startPlace("sftp-restic");
const { folder, server, user } = place;
const env = user.environment;
const random = new SeededRandom(SEED);
const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 150, large: 6 });

const url = (name: string): string => `sftp:backup:${folder}/${name}`;

test(`backup, check, forget, prune and restore; restic agrees, seed ${SEED}`, async () => {
  const ours = new Client(COMEBACK, url("ours"));
  const theirs = new Client(RESTIC_018, url("ours"));
  await ours.done(["init"], { env });
  await ours.backup([corpus.folder], { env });
  corpus.change(30);
  const { snapshot_id: latest } = await ours.backup([corpus.folder], { env });
  await ours.done(["forget", "--keep-last", "1", "--prune", "--max-unused", "0"], { env });
  await ours.done(["check", "--read-data"], { env });
  await ours.restore(latest, join(folder, "back"), [], { env });
  assertSameTree(corpus.folder, join(folder, "back", corpus.folder));

  await theirs.done(["check", "--read-data"], { env });
  await theirs.restore(latest, join(folder, "back-theirs"), [], { env });
  assertSameTree(corpus.folder, join(folder, "back-theirs", corpus.folder));
  await new Client(RESTIC_014, url("ours")).done(["check", "--read-data"], { env });
  await theirs.backup([corpus.folder], { env });
  await ours.done(["check", "--read-data"], { env });
});

test("what restic wrote there is checked and restored", async () => {
  const ours = new Client(COMEBACK, url("theirs"));
  const theirs = new Client(RESTIC_018, url("theirs"));
  await theirs.done(["init"], { env });
  const { snapshot_id: snapshot } = await theirs.backup([corpus.folder], { env });
  await ours.done(["check", "--read-data"], { env });
  await ours.restore(snapshot, join(folder, "back-ours"), [], { env });
  assertSameTree(corpus.folder, join(folder, "back-ours", corpus.folder));
  await ours.backup([corpus.folder], { env });
  await theirs.done(["check", "--read-data"], { env });
});

test("files have the modes that restic gives them, and folders are the owner's alone", async () => {
  const modes = (name: string, areFiles: boolean): number[] => {
    const entries = readdirSync(join(folder, name), { recursive: true, withFileTypes: true });
    const some = entries.filter((entry) => entry.isFile() === areFiles);
    const found = some.map((entry) => statSync(join(entry.parentPath, entry.name)).mode & 0o7777);
    return [...new Set(found)];
  };
  await new Client(COMEBACK, url("modes-ours")).done(["init"], { env });
  await new Client(RESTIC_018, url("modes-theirs")).done(["init"], { env });
  assert.deepEqual(modes("modes-ours", true), modes("modes-theirs", true));
  assert.deepEqual(modes("modes-ours", false), [0o700]);
});

test("a server that dies in the middle of a backup costs a clear error, and no file", async () => {
  const ours = new Client(COMEBACK, url("dying"));
  await ours.done(["init"], { env });
  const running = ours.start(["backup", corpus.folder], { env });
  const data = join(folder, "dying", "data");
  const count = (): number => readdirSync(data, { recursive: true }).length;
  const before = count();
  await waitUntil("something was sent", () => count() > before || running.child.exitCode !== null);
  await server.stop();
  const finished = await running.finished;
  if (finished.exitCode !== 0) {
    assertError(finished, { exitCode: 1, code: "backend.unreachable" });
  }
  assert.ok(!finished.describe().includes(PASSWORD));
  await server.restart();
  await ours.done(["unlock"], { env });
  const { snapshot_id: latest } = await ours.backup([corpus.folder], { env });
  await ours.restore(latest, join(folder, "back-dying"), [], { env });
  assertSameTree(corpus.folder, join(folder, "back-dying", corpus.folder));
  await new Client(RESTIC_018, url("dying")).done(["check", "--read-data"], { env });
});

test("sessions that are cut off while a backup runs: nothing of it is lost", async () => {
  const ours = new Client(COMEBACK, url("cut"));
  await ours.done(["init"], { env });
  const running = ours.start(["backup", corpus.folder], { env });
  const data = join(folder, "cut", "data");
  const count = (): number => readdirSync(data, { recursive: true }).length;
  const before = count();
  await waitUntil("something was sent", () => count() > before || running.child.exitCode !== null);
  server.dropSessions();
  const finished = await running.finished;
  if (finished.exitCode !== 0) {
    assertError(finished, { exitCode: 1, code: "backend.unreachable" });
    await ours.done(["unlock"], { env });
    await ours.backup([corpus.folder], { env });
  }
  await new Client(RESTIC_018, url("cut")).done(["check", "--read-data"], { env });
  await ours.restore("latest", join(folder, "back-cut"), [], { env });
  assertSameTree(corpus.folder, join(folder, "back-cut", corpus.folder));
});

test("Ctrl-C ends a backup and takes its lock away: ssh outlives the signal", async () => {
  const ours = new Client(COMEBACK, url("interrupted"));
  await ours.done(["init"], { env });
  // As a terminal does it: to every process of the group.
  const running = ours.start(["backup", corpus.folder], { env, ownGroup: true });
  const data = join(folder, "interrupted", "data");
  const count = (): number => readdirSync(data, { recursive: true }).length;
  const before = count();
  await waitUntil("something was sent", () => count() > before || running.child.exitCode !== null);
  process.kill(-running.pid, "SIGINT");
  const finished = await running.finished;
  assert.equal(finished.exitCode, 130, finished.describe());
  assert.deepEqual(readdirSync(join(folder, "interrupted", "locks")), []);
  await ours.backup([corpus.folder], { env });
  await ours.done(["check", "--read-data"], { env });
});

test("an unknown host ends a command with the way to accept it", async () => {
  const running = new Client(COMEBACK, `sftp://root@127.0.0.1:${server.port}//x`);
  const finished = await running.run(["snapshots"], {
    env: { ...env, PATH: user.strangerPath },
  });
  assertError(finished, { exitCode: 1, code: "backend.unknown-host", says: /fingerprint/ });
});
