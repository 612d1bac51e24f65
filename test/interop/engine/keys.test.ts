import assert from "node:assert/strict";
import { readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { localBackendFactory } from "@comeback/backend-local";
import { isComebackError } from "@comeback/core";
import { loadSnapshot, Repository, saveSnapshot } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { Client, PASSWORD } from "../../drivers/client.ts";
import { makeFolder, memoryFolder } from "../../drivers/scratch.ts";
import { RESTIC_018, RESTICS } from "../../drivers/tools.ts";
import { initCheaply, openRepository } from "./open-repository.ts";

/** Keys, config and snapshots cross from one tool to the other. */
const folder = memoryFolder("keys");

test("a repository that we made is one for restic, in both versions", async () => {
  for (const version of [1, 2] as const) {
    const location = join(folder, `ours-${version}`);
    const backend = await localBackendFactory.create(location);
    const options = { backend, password: PASSWORD, clock: systemClock, random: systemRandom };
    await using repository = await Repository.init({ ...options, version });
    for (const tool of RESTICS) {
      const client = new Client(tool, location);
      const config = await client.done(["cat", "config"]);
      assert.deepEqual(JSON.parse(config.stdout.toString()), {
        version,
        id: repository.config.id,
        chunker_polynomial: repository.config.chunkerPolynomial.toString(16),
      });
      await client.check();
      const wrong = await new Client(tool, location, "wrong").run(["cat", "config"]);
      assert.notEqual(wrong.exitCode, 0);
    }
  }
});

test("a repository that restic made is one for us, with each of its passwords", async () => {
  for (const tool of RESTICS) {
    const location = join(folder, tool.name);
    const client = new Client(tool, location);
    await client.done(["init"]);
    const passwordFile = join(makeFolder(folder), "second-password");
    writeFileSync(passwordFile, "zweites Paßwort\n");
    await client.done(["key", "add", "--new-password-file", passwordFile]);
    const ids = new Set<string>();
    for (const password of [PASSWORD, "zweites Paßwort"]) {
      await using repository = await openRepository(location, password);
      ids.add(repository.keyId);
      const shown = await client.done(["cat", "config"]);
      assert.equal(repository.config.id, JSON.parse(shown.stdout.toString()).id);
    }
    assert.deepEqual(ids, new Set(readdirSync(join(location, "keys"))));
    await assert.rejects(openRepository(location, "zweites Passwort"), {
      code: "key.wrong-password",
    });
  }
});

test("a masked and a raw MAC key open what the other tool sealed", async () => {
  // 0.14 stores the masked form, 0.18 the raw one; each then reads a snapshot that we wrote.
  for (const tool of RESTICS) {
    const location = join(folder, `mac-${tool.name}`);
    const client = new Client(tool, location);
    await client.done(["init"]);
    await client.done(["backup", "--stdin"], { input: "content" });
    await using repository = await openRepository(location);
    const [name] = readdirSync(join(location, "snapshots"));
    const snapshot = await loadSnapshot(repository, name!);
    await saveSnapshot(repository, { ...snapshot, tags: ["ours"], original: snapshot.id });
    const tagged = await client.json<{ original: string }[]>(["snapshots", "--tag", "ours"]);
    assert.deepEqual(
      tagged.map(({ original }) => original),
      [name],
    );
    await client.check();
  }
});

test("a snapshot that we wrote again has the name that restic gave it", async () => {
  const location = join(folder, "again");
  await initCheaply(location, 2);
  const client = new Client(RESTIC_018, location);
  await client.done(["backup", "--stdin", "--tag", "x,y & z"], { input: "content" });
  await client.done(["tag", "--add", "späte Marke <1>", "latest"]);
  await using repository = await openRepository(location);
  for (const name of readdirSync(join(location, "snapshots"))) {
    const { stdout } = await client.done(["cat", "snapshot", name]);
    const snapshot = await loadSnapshot(repository, name);
    const { id: _id, ...file } = snapshot;
    assert.deepEqual(JSON.parse(stdout.toString()), file);
  }
});

test("keys of other programs in config and snapshots do not disturb restic", async () => {
  const location = join(folder, "foreign");
  await initCheaply(location, 2);
  const client = new Client(RESTIC_018, location);
  await client.done(["backup", "--stdin"], { input: "content" });
  await using repository = await openRepository(location);
  const [name] = readdirSync(join(location, "snapshots"));
  const snapshot = await loadSnapshot(repository, name!);
  await saveSnapshot(repository, { ...snapshot, label: "rustic's", tags: ["kept"] });
  await client.check();
  assert.equal((await client.snapshots()).length, 2);
});

test("no repository, an emptied one, one of a future version: each is named", async () => {
  await assert.rejects(openRepository(join(folder, "nowhere")), (error) => {
    return isComebackError(error, "repository.none") && error.exitCode === 10;
  });
  const location = join(folder, "future");
  await initCheaply(location, 2);
  {
    await using repository = await openRepository(location);
    const json = JSON.stringify({ ...repository.config.raw, version: 3 });
    const config = repository.codec.cipher.seal(Buffer.from(json));
    renameSync(join(location, "config"), join(location, "config-of-version-2"));
    writeFileSync(join(location, "config"), config);
  }
  await assert.rejects(openRepository(location), { code: "repository.unknown-version" });
  const restic = await new Client(RESTIC_018, location).run(["snapshots"]);
  assert.match(restic.stderr, /unsupported repository version|Fatal/);
});
