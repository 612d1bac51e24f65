/*
 * Real file systems that are full, read-only or gone. Mounts need privileges: the tests run again
 * in a mount namespace of their own (with a user namespace where the caller is not root), which
 * takes every mount with it when it ends.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isComebackError } from "@comeback/core";
import type { Backend, ComebackError, ErrorCode, RepositoryFile } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { createLocal, openLocal } from "../src/local-factory.ts";

const MiB = 1024 * 1024;
const CONFIG: RepositoryFile = { type: "config", name: "" };
const random = new SeededRandom(3);

function newPack(): RepositoryFile {
  return { type: "pack", name: random.hex(32) };
}

function mountTmpfs(path: string, options: string): void {
  mkdirSync(path, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", path]);
}

function unmount(path: string): void {
  execFileSync("umount", ["-l", path]);
}

/** A folder for one test, whose mounts go before it. */
function mountFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "comeback-mounts-"));
  return {
    path,
    [Symbol.dispose]() {
      const points = readFileSync("/proc/self/mounts", "utf8").split("\n");
      const ours = points
        .map((line) => line.split(" ")[1] ?? "")
        .filter((at) => at.startsWith(path));
      for (const point of ours.reverse()) unmount(point);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

async function failure(call: Promise<unknown>, code: ErrorCode): Promise<ComebackError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isComebackError(error, code)) return error;
  throw new Error(`expected ${code}`, { cause: error });
}

async function names(backend: Backend): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of backend.list("pack")) found.push(name);
  return found;
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** A repository with a config, on a file system of its own. */
async function repositoryOn(path: string, options = "size=64m"): Promise<Backend> {
  mountTmpfs(path, options);
  const backend = await createLocal(path);
  await backend.save(CONFIG, random.bytes(155));
  return backend;
}

function namespaceTests(): void {
  test("a full disk: said clearly, nothing left, what was stored is intact", async () => {
    using folder = mountFolder();
    const root = join(folder.path, "disk");
    await using backend = await repositoryOn(root, "size=2m");
    const stored = newPack();
    const data = random.bytes(MiB);
    await backend.save(stored, data);
    const before = filesBelow(root);
    const error = await failure(backend.save(newPack(), random.bytes(4 * MiB)), "backend.full");
    assert.match(error.message, /no space left in .*disk/);
    assert.match(String(error.why), /4\.0 MiB were to be written to .*disk is full/);
    assert.equal(error.retryable, false);
    assert.deepEqual(filesBelow(root), before);
    assert.deepEqual(await names(backend), [stored.name]);
    assert.equal(Buffer.compare(await backend.load(stored), data), 0);
    await backend.remove(stored);
    await backend.save(newPack(), random.bytes(MiB));
  });

  test("a disk without free inodes is full as well", async () => {
    using folder = mountFolder();
    const root = join(folder.path, "disk");
    await using backend = await repositoryOn(root, "size=2m,nr_inodes=265");
    let saved = 0;
    const saveMany = async (): Promise<void> => {
      for (; saved < 20; saved++) await backend.save(newPack(), random.bytes(10));
    };
    await failure(saveMany(), "backend.full");
    assert.equal((await names(backend)).length, saved);
    mountTmpfs(join(folder.path, "tiny"), "size=1m,nr_inodes=20");
    await failure(createLocal(join(folder.path, "tiny")), "backend.full");
  });

  test("a read-only mount can be read, and says why it takes nothing", async () => {
    using folder = mountFolder();
    const root = join(folder.path, "disk");
    const first = await repositoryOn(root);
    const stored = newPack();
    await first.save(stored, random.bytes(100));
    execFileSync("mount", ["-o", "remount,ro", root]);
    await using backend = await openLocal(root);
    assert.equal((await backend.load(stored)).byteLength, 100);
    assert.deepEqual(await names(backend), [stored.name]);
    const error = await failure(backend.save(newPack(), random.bytes(9)), "backend.read-only");
    assert.match(String(error.next), /remount/);
    await failure(first.save(newPack(), random.bytes(9)), "backend.read-only");
    await failure(backend.remove(stored), "backend.read-only");
    await failure(createLocal(join(root, "new")), "backend.read-only");
    assert.deepEqual(await names(backend), [stored.name]);
  });

  test("an unmounted repository: every call says so, the bare mount point stays empty", async () => {
    using folder = mountFolder();
    const root = join(folder.path, "disk");
    await using backend = await repositoryOn(root);
    const stored = newPack();
    await backend.save(stored, random.bytes(100));
    unmount(root);
    const error = await failure(backend.save(newPack(), random.bytes(9)), "backend.not-mounted");
    assert.match(error.message, /repository at .*disk is gone/);
    await failure(backend.load(stored), "backend.not-mounted");
    await failure(backend.stat(stored), "backend.not-mounted");
    await failure(backend.remove(stored), "backend.not-mounted");
    await failure(names(backend), "backend.not-mounted");
    await failure(openLocal(root), "repository.none");
    assert.deepEqual(readdirSync(root), []);
    rmSync(root, { recursive: true });
    await failure(backend.save(newPack(), random.bytes(9)), "backend.not-mounted");
    assert.deepEqual(readdirSync(folder.path), []);
  });

  test("a layout that lay below the mount is not taken for the repository", async () => {
    using folder = mountFolder();
    const root = join(folder.path, "disk");
    await using below = await createLocal(root);
    await below.save(CONFIG, random.bytes(155));
    const before = filesBelow(root);
    await using backend = await repositoryOn(root);
    await backend.save(newPack(), random.bytes(100));
    unmount(root);
    await failure(backend.save(newPack(), random.bytes(9)), "backend.not-mounted");
    await failure(names(backend), "backend.not-mounted");
    assert.deepEqual(filesBelow(root), before);
  });

  test("a disk that was swapped for another is noticed", async () => {
    using folder = mountFolder();
    const root = join(folder.path, "disk");
    await using first = await repositoryOn(root);
    unmount(root);
    await using second = await repositoryOn(root);
    await failure(first.save(newPack(), random.bytes(9)), "backend.not-mounted");
    assert.deepEqual(await names(second), []);
  });

  test("the same repository with new device numbers goes on", async () => {
    using folder = mountFolder();
    const [root, copy] = [join(folder.path, "disk"), join(folder.path, "copy")];
    await using backend = await repositoryOn(root);
    await backend.save(newPack(), random.bytes(100));
    mountTmpfs(copy, "size=64m");
    cpSync(root, copy, { recursive: true });
    unmount(root);
    execFileSync("mount", ["--bind", copy, root]);
    await backend.save(newPack(), random.bytes(100));
    assert.equal((await names(backend)).length, 2);
  });

  test("a data folder on a mount of its own is watched too", async () => {
    using folder = mountFolder();
    const root = join(folder.path, "disk");
    await using backend = await repositoryOn(root);
    mountTmpfs(join(root, "data"), "size=8m");
    await using reopened = await openLocal(root);
    await reopened.save(newPack(), random.bytes(100));
    unmount(join(root, "data"));
    await failure(reopened.save(newPack(), random.bytes(9)), "backend.not-mounted");
    await failure(names(reopened), "backend.not-mounted");
    assert.deepEqual(await names(backend), []);
  });

  test("unmounted in the middle of a save: nothing is written below the mount point", async () => {
    for (const turns of [1, 2, 4, 8, 16, 32, 64]) {
      using folder = mountFolder();
      const root = join(folder.path, "disk");
      await using backend = await repositoryOn(root);
      const saved = backend.save(newPack(), random.bytes(16 * MiB));
      const outcome = saved.then(
        () => undefined,
        (error: unknown) => error,
      );
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      unmount(root);
      const error = await outcome;
      if (error !== undefined) assert.ok(isComebackError(error, "backend.not-mounted"));
      assert.deepEqual(readdirSync(root), []);
    }
  });
}

if (process.env["COMEBACK_MOUNT_NAMESPACE"] === "1") {
  namespaceTests();
} else {
  test("real mounts, in a namespace of their own", () => {
    const asRoot = process.getuid?.() === 0;
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const result = spawnSync(
      "unshare",
      [
        ...(asRoot ? [] : ["--user", "--map-root-user"]),
        "--mount",
        process.execPath,
        "--test-reporter=tap",
        fileURLToPath(import.meta.url),
      ],
      { encoding: "utf8", env: { ...environment, COMEBACK_MOUNT_NAMESPACE: "1" } },
    );
    assert.equal(result.status, 0, `${String(result.error ?? "")}${result.stdout}${result.stderr}`);
    assert.match(result.stdout, /^# fail 0$/m);
    assert.match(result.stdout, /^# skipped 0$/m);
  });
}
