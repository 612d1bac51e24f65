import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { assertError } from "../../drivers/assert-error.ts";
import { Client } from "../../drivers/client.ts";
import { Corpus } from "../../drivers/corpus.ts";
import { quickenKey } from "../../drivers/quick-repository.ts";
import { assertSameTree } from "../../drivers/same-tree.ts";
import { makeFolder } from "../../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../../drivers/tools.ts";
import { SshServer } from "../../services/openssh/ssh-server.ts";
import { startPlace } from "./sftp-fixture.ts";

const SEED = 9_001;
const place = await startPlace("sftp-restic");
const { folder, user } = place;
const env = user.environment;
const random = new SeededRandom(SEED);
const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 150, large: 6 });

const url = (name: string): string => `sftp:backup:${folder}/${name}`;

test(`backup, check, forget, prune and restore; restic agrees, seed ${SEED}`, async () => {
  const ours = new Client(COMEBACK, url("ours"));
  const theirs = new Client(RESTIC_018, url("ours"));
  await ours.done(["init"], { env });
  await quickenKey(join(folder, "ours"));
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
  await quickenKey(join(folder, "theirs"));
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

test("an account that may only read restores, and checks without a lock", async () => {
  const reading = await SshServer.start({
    folder: join(folder, "reading"),
    config: ["Subsystem sftp internal-sftp -R"],
  });
  reading.allow(user.publicKey);
  user.trust(reading);
  user.addHost("reading", reading);
  const ours = new Client(COMEBACK, `sftp:reading:${folder}/theirs`);
  await ours.done(["check", "--no-lock"], { env });
  await ours.restore("latest", join(folder, "back-reading"), ["--no-lock"], { env });
  assertSameTree(corpus.folder, join(folder, "back-reading", corpus.folder));
  const locking = await ours.run(["backup", corpus.folder], { env });
  assertError(locking, { exitCode: 1, code: "backend.permission" });
});
