import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ComebackError } from "@comeback/core";
import type { Backend, ErrorCode, RepositoryFile } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { nodeFileSystem } from "../src/file-system.ts";
import type { FileSystem } from "../src/file-system.ts";
import { openLocal } from "../src/local-factory.ts";
import { localFixture } from "./scratch.ts";

const FILE: RepositoryFile = { type: "pack", name: "ab".repeat(32) };

function failingWith(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`${code}: staged`), { code }));
}

/** A file system that notes what is done to which name, in order. */
function recording(log: string[], overrides: Partial<FileSystem> = {}): FileSystem {
  const base = { ...nodeFileSystem, ...overrides };
  const short = (path: unknown): string => basename(String(path)).replace(/-tmp-.*/, "-tmp");
  return {
    ...base,
    open: async (...values: Parameters<FileSystem["open"]>) => {
      const handle = await base.open(...values);
      const name = short(values[0]);
      const sync = handle.sync.bind(handle);
      const write = handle.write.bind(handle) as (...written: unknown[]) => Promise<unknown>;
      const close = handle.close.bind(handle);
      log.push(`open ${name}`);
      handle.sync = async () => {
        log.push(`sync ${name}`);
        await sync();
      };
      handle.write = ((...written: unknown[]) => {
        log.push(`write ${name}`);
        return write(...written);
      }) as typeof handle.write;
      handle.close = async () => {
        log.push(`close ${name}`);
        await close();
      };
      return handle;
    },
    link: async (from, to) => {
      log.push(`link ${short(from)} ${short(to)}`);
      await base.link(from, to);
    },
    unlink: async (path) => {
      log.push(`unlink ${short(path)}`);
      await base.unlink(path);
    },
    chmod: async (path, mode) => {
      log.push(`chmod ${short(path)} ${Number(mode).toString(8)}`);
      await base.chmod(path, mode);
    },
  };
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test("the content is durable before the name, and the name before success", async () => {
  const log: string[] = [];
  await using fixture = await localFixture(recording(log));
  log.length = 0;
  await fixture.backend.save(FILE, new Uint8Array(9 * 1024 * 1024));
  const name = FILE.name;
  assert.deepEqual(log, [
    `open ${name}-tmp`,
    `write ${name}-tmp`,
    `write ${name}-tmp`,
    `write ${name}-tmp`,
    `sync ${name}-tmp`,
    `close ${name}-tmp`,
    `link ${name}-tmp ${name}`,
    `unlink ${name}-tmp`,
    "open ab",
    "sync ab",
    "close ab",
    `chmod ${name} 400`,
  ]);
});

test("removal of an index is durable before packs can be removed", async () => {
  const log: string[] = [];
  await using fixture = await localFixture(recording(log));
  const file = { type: "index", name: FILE.name } as const;
  await fixture.backend.save(file, new Uint8Array(5));
  log.length = 0;
  await fixture.backend.remove(file);
  assert.deepEqual(log, [`unlink ${file.name}`, "open index", "sync index", "close index"]);
});

/** What a disk or a share may do at a bad moment, and what has to come of it. */
const STAGES: readonly { what: string; code: ErrorCode; fileSystem: FileSystem }[] = [
  { what: "write", code: "backend.io", fileSystem: withHandle({ write: failingWith("EIO") }) },
  { what: "write nothing", code: "backend.io", fileSystem: withHandle({ write: writeNothing }) },
  { what: "sync", code: "backend.io", fileSystem: withHandle({ sync: failingWith("EIO") }) },
  { what: "sync", code: "backend.full", fileSystem: withHandle({ sync: failingWith("ENOSPC") }) },
  { what: "close", code: "backend.full", fileSystem: withHandle({ close: failingWith("EDQUOT") }) },
  {
    what: "link",
    code: "backend.permission",
    fileSystem: {
      ...nodeFileSystem,
      link: failingWith("EACCES"),
    },
  },
  {
    what: "open",
    code: "backend.not-mounted",
    fileSystem: withOpen(failingWith("ENOTCONN")),
  },
  { what: "sync of the folder", code: "backend.io", fileSystem: withFailingFolderSync() },
];

function writeNothing(): Promise<{ bytesWritten: number }> {
  return Promise.resolve({ bytesWritten: 0 });
}

function withOpen(open: (...values: never[]) => Promise<unknown>): FileSystem {
  return { ...nodeFileSystem, open: open as unknown as FileSystem["open"] };
}

/** Replaces methods of handles of temporary files; a failing close closes nevertheless. */
function withHandle(methods: Record<string, () => Promise<unknown>>): FileSystem {
  return withOpen(async (...values: Parameters<FileSystem["open"]>) => {
    const handle = await nodeFileSystem.open(...values);
    if (!String(values[0]).includes("-tmp-")) return handle;
    const close = handle.close.bind(handle);
    Object.assign(handle, methods);
    const failingClose = methods["close"];
    if (failingClose !== undefined) {
      handle.close = async () => {
        await close();
        await failingClose();
      };
    }
    return handle;
  });
}

function withFailingFolderSync(): FileSystem {
  return withOpen(async (...values: Parameters<FileSystem["open"]>) => {
    const handle = await nodeFileSystem.open(...values);
    if (String(values[0]).endsWith("/ab")) handle.sync = failingWith("EIO");
    return handle;
  });
}

for (const { what, code, fileSystem } of STAGES) {
  test(`a failing ${what}: ${code}, and nothing is left of the save`, async () => {
    await using fixture = await localFixture();
    const { LocalBackend } = await import("../src/local-backend.ts");
    await using backend = await LocalBackend.open(fixture.root, fileSystem);
    await assert.rejects(backend.save(FILE, new Uint8Array(100)), (error) => {
      assert.ok(error instanceof ComebackError);
      assert.equal(error.code, code);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    assert.deepEqual(filesBelow(fixture.root), []);
    await fixture.backend.save(FILE, new Uint8Array(100));
  });
}

test("folders that are missing are made again, but never the repository's own", async () => {
  await using fixture = await localFixture();
  const { rm } = await import("node:fs/promises");
  for (const folder of ["data", "locks"])
    await rm(`${fixture.root}/${folder}`, { recursive: true });
  await fixture.backend.save(FILE, new Uint8Array(1));
  await fixture.backend.save({ type: "lock", name: FILE.name }, new Uint8Array(1));
  assert.deepEqual(filesBelow(fixture.root), [FILE.name, FILE.name]);
  await rm(fixture.root, { recursive: true });
  await assert.rejects(fixture.backend.save(FILE, new Uint8Array(1)), {
    code: "backend.not-mounted",
  });
});

test("kill -9 in the middle of saves leaves whole files only", async () => {
  await using fixture = await localFixture();
  await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(155));
  const random = new SeededRandom(11);
  const promised = new Set<string>();
  for (let round = 0; round < 8; round++) {
    for (const name of await saveUntilKilled(fixture.root, round, random)) promised.add(name);
  }
  assert.ok(promised.size > 0);
  await using backend = await openLocal(fixture.root);
  const found = await assertWholeFiles(backend);
  for (const name of promised) assert.ok(found.has(name), `${name} was promised and is missing`);
});

/** Runs a saving process, kills it some moments after its n-th promise; what it had promised. */
async function saveUntilKilled(
  root: string,
  seed: number,
  random: SeededRandom,
): Promise<string[]> {
  const script = fileURLToPath(new URL("save-forever.ts", import.meta.url));
  const child = spawn(process.execPath, [script, root, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const promised: string[] = [];
  const killAt = random.integer(1, 4);
  for await (const line of createInterface({ input: child.stdout })) {
    promised.push(line);
    if (promised.length !== killAt) continue;
    for (let turns = random.integer(0, 400); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    child.kill("SIGKILL");
  }
  return promised;
}

async function assertWholeFiles(backend: Backend): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { name } of backend.list("pack")) {
    const data = await backend.load({ type: "pack", name });
    assert.equal(createHash("sha256").update(data).digest("hex"), name);
    found.add(name);
  }
  return found;
}
