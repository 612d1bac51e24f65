import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sftpBackendFactory } from "@comeback/backend-sftp";
import { ComebackError, isComebackError } from "@comeback/core";
import type { Backend, RepositoryFile } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { BindMount, MemoryDisk } from "../../drivers/mounts.ts";
import { makeFolder } from "../../drivers/scratch.ts";
import { startPlace } from "./sftp-fixture.ts";

const SEED = 31;
const MiB = 1024 * 1024;
const CONFIG = { type: "config", name: "" } as const;

const place = await startPlace("sftp-losing");
const { folder, server, options } = place;

function packOf(data: Uint8Array): RepositoryFile {
  return { type: "pack", name: createHash("sha256").update(data).digest("hex") };
}

function filesBelow(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function openStore(root: string): Promise<Backend> {
  const backend = await sftpBackendFactory.create(`sftp:backup:${root}`, options);
  await backend.save(CONFIG, new Uint8Array(155));
  return backend;
}

test(`sessions that die at any moment: whole files only, and the next call works, seed ${SEED}`, async () => {
  const root = join(folder, "dying");
  await using backend = await openStore(root);
  const random = new SeededRandom(SEED);
  const promised = new Map<string, Uint8Array>();
  let lost = 0;
  for (let round = 0; round < 12; round++) {
    const data = random.bytes(random.integer(1, 6 * MiB));
    const file = packOf(data);
    const saved = backend.save(file, data).then(
      () => promised.set(file.name, data),
      (error: unknown) => {
        assert.ok(isComebackError(error, "backend.unreachable"), String(error));
        assert.equal(error.retryable, true);
        lost++;
      },
    );
    for (let turns = random.integer(0, 60); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    server.dropSessions();
    await saved;
  }
  assert.ok(lost > 0, "no session was lost in time");
  const listed = new Set<string>();
  for await (const { name } of backend.list("pack")) {
    listed.add(name);
    assert.equal(packOf(await backend.load({ type: "pack", name })).name, name);
  }
  for (const name of promised.keys()) assert.ok(listed.has(name), `${name} was promised`);
  // What lost connections left behind goes with the next file that is removed.
  await backend.remove({ type: "index", name: "ab".repeat(32) });
  const index = { type: "index", name: "cd".repeat(32) } as const;
  await backend.save(index, new Uint8Array(3));
  await backend.remove(index);
  assert.deepEqual(
    filesBelow(root).filter((name) => name.includes("-tmp-")),
    [],
  );
});

test("a server that is gone is told at once, and used again when it is back", async () => {
  await using backend = await openStore(join(folder, "gone"));
  await server.stop();
  await assert.rejects(backend.load(CONFIG), { code: "backend.unreachable", retryable: true });
  await assert.rejects(backend.load(CONFIG), { code: "backend.unreachable", retryable: true });
  await server.restart();
  assert.equal((await backend.load(CONFIG)).byteLength, 155);
});

test("a full disk is told as such, and leaves nothing behind", async () => {
  const disk = new MemoryDisk(join(folder, "small-disk"), 6 * MiB);
  const root = join(disk.folder, "repository");
  await using backend = await openStore(root);
  const data = new SeededRandom(SEED).bytes(8 * MiB);
  await assert.rejects(backend.save(packOf(data), data), (error: unknown) => {
    assert.ok(error instanceof ComebackError);
    assert.equal(error.code, "backend.full");
    assert.equal(error.retryable, false);
    assert.match(error.next ?? "", /free space/);
    return true;
  });
  assert.deepEqual(filesBelow(root), ["config"]);
  disk.resize(32 * MiB);
  await backend.save(packOf(data), data);
  assert.deepEqual(await backend.stat(packOf(data)), { sizeBytes: 8 * MiB });
});

test("a disk that was mounted read-only", async () => {
  const mount = new BindMount(makeFolder(folder, "shown"), join(folder, "read-only"));
  await using backend = await openStore(join(mount.folder, "repository"));
  assert.ok(mount.makeReadOnly());
  await assert.rejects(backend.save(packOf(new Uint8Array(9)), new Uint8Array(9)), {
    code: "backend.read-only",
  });
});

test("a disk of the server that is not mounted any more is no empty repository", async () => {
  const mount = new BindMount(makeFolder(folder, "disk"), join(folder, "mounted"));
  await using backend = await openStore(join(mount.folder, "repository"));
  const file = packOf(new Uint8Array(9));
  await backend.save(file, new Uint8Array(9));
  mount.vanish();
  const gone = { code: "backend.not-mounted" };
  await assert.rejects(backend.load(file), gone);
  await assert.rejects(backend.stat(file), gone);
  await assert.rejects(backend.remove(file), gone);
  await assert.rejects(backend.save(packOf(new Uint8Array(8)), new Uint8Array(8)), gone);
  await assert.rejects(async () => {
    for await (const { name } of backend.list("pack")) assert.fail(name);
  }, gone);
  assert.deepEqual(readdirSync(mount.folder), []);
  mount.attach();
  assert.equal((await backend.load(file)).byteLength, 9);
});

test("what killed saves left is found with its age, and nothing of anybody else", async () => {
  const root = join(folder, "old-files");
  await using backend = await openStore(root);
  const temporary = (digits: string): string =>
    join(root, "data", "ab", `${"ab".repeat(32)}-tmp-${digits}`);
  const [ours, changed, restics] = ["1".repeat(16), "2".repeat(16), "1234567890"].map(temporary);
  const inIndex = join(root, "index", `${"cd".repeat(32)}-tmp-${"3".repeat(16)}`);
  const paths = [ours!, changed!, inIndex];
  for (const path of [...paths, restics!]) writeFileSync(path, "left by a crash");
  const twoDaysAgo = Math.round(Date.now() / 1000) - 2 * 86_400;
  for (const path of paths) utimesSync(path, twoDaysAgo, twoDaysAgo);
  const found = (await backend.leftOvers?.()) ?? [];
  assert.deepEqual(found.map(({ path }) => path).toSorted(), paths.toSorted());
  for (const { sizeBytes, modifiedMs } of found) {
    assert.deepEqual([sizeBytes, modifiedMs], [15, twoDaysAgo * 1000]);
  }
  writeFileSync(changed!, "its client was only suspended");
  for (const file of [...found, ...found]) await file.remove();
  const left = [ours!, changed!, inIndex, restics!].filter((path) => existsSync(path));
  assert.deepEqual(left, [changed, restics]);
});
