import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import type { ErrorCode } from "@comeback/core";
import { localBackendFactory } from "../src/index.ts";
import { scratchFolder } from "./scratch.ts";

const CONFIG = { type: "config", name: "" } as const;
const PACK = { type: "pack", name: "cd".repeat(32) } as const;

async function rejectsWith(call: Promise<unknown>, code: ErrorCode): Promise<ComebackError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ComebackError, String(error));
  assert.equal(error.code, code);
  return error;
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

test("create makes restic's folders, for the owner only", async () => {
  await using folder = await scratchFolder();
  const root = join(folder.path, "a", "b", "repository");
  await using backend = await localBackendFactory.create(root);
  assert.equal(backend.location, root);
  assert.deepEqual(readdirSync(root).sort(), ["data", "index", "keys", "locks", "snapshots"]);
  const below = readdirSync(join(root, "data")).sort();
  assert.equal(below.length, 256);
  assert.deepEqual([below[0], below[171], below[255]], ["00", "ab", "ff"]);
  for (const path of [root, join(root, "keys"), join(root, "data", "00")]) {
    assert.equal(modeOf(path), 0o700);
  }
});

test("files go where restic looks for them, read-only", async () => {
  await using folder = await scratchFolder();
  const root = join(folder.path, "repository");
  await using backend = await localBackendFactory.create(root);
  await backend.save(CONFIG, new Uint8Array(1));
  await backend.save(PACK, new Uint8Array(1));
  const paths = [join(root, "config"), join(root, "data", "cd", PACK.name)];
  for (const [type, place] of [
    ["key", "keys"],
    ["lock", "locks"],
    ["snapshot", "snapshots"],
    ["index", "index"],
  ] as const) {
    await backend.save({ type, name: PACK.name }, new Uint8Array(1));
    paths.push(join(root, place, PACK.name));
  }
  for (const path of paths) assert.equal(modeOf(path), 0o400);
});

test("a repository shared with a group stays shared", async () => {
  await using folder = await scratchFolder();
  const root = join(folder.path, "repository");
  await using first = await localBackendFactory.create(root);
  await first.save(CONFIG, new Uint8Array(1));
  chmodSync(join(root, "config"), 0o440);
  await using backend = await localBackendFactory.open(root);
  await backend.save(PACK, new Uint8Array(1));
  assert.equal(modeOf(join(root, "data", "cd", PACK.name)), 0o440);
});

test("create refuses a folder that holds a repository, and a file", async () => {
  await using folder = await scratchFolder();
  const root = join(folder.path, "repository");
  await using backend = await localBackendFactory.create(root);
  // Without its config it is none yet: an interrupted `init` can be repeated.
  await using again = await localBackendFactory.create(root);
  await again.save(CONFIG, new Uint8Array(1));
  await backend.save(PACK, new Uint8Array(1));
  await rejectsWith(localBackendFactory.create(root), "repository.exists");
  writeFileSync(join(folder.path, "file"), "");
  await rejectsWith(localBackendFactory.create(join(folder.path, "file")), "repository.none");
});

test("open says what is missing", async () => {
  await using folder = await scratchFolder();
  const missing = await rejectsWith(
    localBackendFactory.open(join(folder.path, "x")),
    "repository.none",
  );
  assert.equal(missing.exitCode, 10);
  assert.match(String(missing.why), /does not exist/);
  const empty = await rejectsWith(localBackendFactory.open(folder.path), "repository.none");
  assert.match(String(empty.why), /no file named config; is the disk or share mounted/);
  writeFileSync(join(folder.path, "file"), "");
  for (const path of ["file", "file/below"]) {
    const error = await rejectsWith(
      localBackendFactory.open(join(folder.path, path)),
      "repository.none",
    );
    assert.match(String(error.why), /names a file/);
  }
  for (const bad of ["", "local:", "a\0b"]) {
    await rejectsWith(localBackendFactory.open(bad), "option.invalid");
    await rejectsWith(localBackendFactory.create(bad), "option.invalid");
  }
});

test("`local:PATH` is a path, and a repository behind a symlink is one", async () => {
  await using folder = await scratchFolder();
  const root = join(folder.path, "repository");
  await using created = await localBackendFactory.create(`local:${root}`);
  await created.save(CONFIG, new Uint8Array(1));
  symlinkSync(root, join(folder.path, "link"));
  await using backend = await localBackendFactory.open(`local:${join(folder.path, "link")}`);
  await backend.save(PACK, new Uint8Array(7));
  assert.deepEqual(await created.stat(PACK), { sizeBytes: 7 });
});

test("what the system forbids is a matter of permission", async () => {
  await using folder = await scratchFolder();
  const root = join(folder.path, "repository");
  await using backend = await localBackendFactory.create(root);
  await backend.save(CONFIG, new Uint8Array(1));
  await backend.save(PACK, new Uint8Array(1));
  chmodSync(folder.path, 0o711);
  chmodSync(join(root, "data", "cd"), 0o500);
  chmodSync(join(root, "data", "cd", PACK.name), 0);
  // Root may do everything: the calls are made as nobody, who owns none of it.
  const asRoot = process.getuid?.() === 0;
  if (asRoot) for (const path of [root, join(root, "data")]) chmodSync(path, 0o755);
  if (asRoot) chmodSync(join(root, "data", "cd"), 0o555);
  if (asRoot) process.seteuid?.(65534);
  try {
    const error = await rejectsWith(
      backend.save({ ...PACK, name: "cd".repeat(31) + "00" }, new Uint8Array(1)),
      "backend.permission",
    );
    assert.match(String(error.next), /owner and mode/);
    await rejectsWith(backend.load(PACK), "backend.permission");
    await rejectsWith(backend.remove(PACK), "backend.permission");
  } finally {
    if (asRoot) process.seteuid?.(0);
  }
});

test("things that are no files do not hang or crash a load", async () => {
  await using folder = await scratchFolder();
  const root = join(folder.path, "repository");
  await using backend = await localBackendFactory.create(root);
  mkdirSync(join(root, "data", "cd", PACK.name));
  const fifo = { type: "pack", name: "ab".repeat(32) } as const;
  const { execFileSync } = await import("node:child_process");
  execFileSync("mkfifo", [join(root, "data", "ab", fifo.name)]);
  for (const file of [PACK, fifo]) {
    await rejectsWith(backend.load(file), "backend.io");
    await rejectsWith(backend.load(file, { offset: 0, length: 5 }), "backend.io");
    await rejectsWith(backend.stat(file), "backend.io");
    await rejectsWith(backend.save(file, new Uint8Array(1)), "backend.exists");
  }
  for await (const { name } of backend.list("pack")) assert.fail(`${name} is listed`);
});
