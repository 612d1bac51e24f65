import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { assertError } from "../../drivers/assert-error.ts";
import { Client, PASSWORD } from "../../drivers/client.ts";
import { Corpus } from "../../drivers/corpus.ts";
import { assertSameTree } from "../../drivers/same-tree.ts";
import { makeFolder } from "../../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../../drivers/tools.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import { startPlace } from "./sftp-fixture.ts";

const SEED = 9_002;
const place = await startPlace("sftp-interrupted");
const { folder, server, user } = place;
const env = user.environment;
const random = new SeededRandom(SEED);
const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 150, large: 6 });

const url = (name: string): string => `sftp:backup:${folder}/${name}`;

test("a server that dies in the middle of a backup and comes back costs no file", async () => {
  const ours = new Client(COMEBACK, url("dying"));
  await ours.done(["init"], { env });
  const running = ours.start(["backup", corpus.folder], { env });
  const data = join(folder, "dying", "data");
  const count = (): number => readdirSync(data, { recursive: true }).length;
  const before = count();
  await waitUntil("something was sent", () => count() > before || running.child.exitCode !== null);
  await server.stop();
  await server.restart();
  const finished = await running.finished;
  assert.equal(finished.exitCode, 0, finished.describe());
  assert.ok(!finished.describe().includes(PASSWORD));
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
  assert.equal(finished.exitCode, 0, finished.describe());
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

test("a shared connection that stays in the background does not keep a command from ending", async () => {
  const control = join(folder, "control");
  user.addHost("shared", server, [
    "ControlMaster auto",
    `ControlPath ${control}`,
    "ControlPersist 600",
  ]);
  const ours = new Client(COMEBACK, `sftp:shared:${folder}/shared`);
  await ours.done(["init"], { env });
  await ours.backup([join(corpus.folder, "folder-1")], { env });
  assert.ok(existsSync(control), "ssh shares its connection");
  await ours.done(["check"], { env });
  execFileSync("ssh", ["-O", "exit", "shared"], { env: { ...process.env, ...env }, stdio: "pipe" });
});
