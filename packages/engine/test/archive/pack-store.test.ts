import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { isComebackError, PACKS_IN_FLIGHT_MAX, type RepositoryFile } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { MemoryBackend, SeededRandom } from "@comeback/testkit";
import { PackStore } from "../../src/archive/pack-store.ts";
import type { FinishedPack } from "../../src/pack/packer.ts";
import { Repository } from "../../src/repository/repository.ts";
import { CHEAP_SCRYPT, TEST_PASSWORD } from "../repository-builder.ts";

const MiB = 1024 * 1024;
const temporaryFolder = mkdtempSync(join(tmpdir(), "comeback-pack-store-"));
after(() => rmSync(temporaryFolder, { recursive: true }));

/** Storage far away, which stores packs once it may. */
class FarStore extends MemoryBackend {
  override readonly connections: number = 16;
  override readonly isRemote: boolean = true;
  readonly gate = Promise.withResolvers<void>();
  begun = 0;

  override async save(file: RepositoryFile, data: Uint8Array): Promise<void> {
    if (file.type === "pack") {
      this.begun++;
      await this.gate.promise;
    }
    await super.save(file, data);
  }
}

interface Opened {
  readonly backend: FarStore;
  readonly repository: Repository;
  readonly store: PackStore;
}

async function open(folder?: string): Promise<Opened> {
  const backend = new FarStore();
  const repository = await Repository.init({
    backend,
    password: TEST_PASSWORD,
    clock: systemClock,
    random: new SeededRandom(1),
    scryptCost: CHEAP_SCRYPT,
    packSizeBytes: 16 * MiB,
    temporaryFolder: folder,
  });
  await repository.loadIndex();
  const { signal } = new AbortController();
  const mayWrite = Promise.resolve();
  const options = { repository, dryRun: false, mayWrite, signal, onStored: () => {} };
  return { backend, repository, store: new PackStore(options) };
}

function newPack(seed: number): FinishedPack {
  const content = new SeededRandom(seed).bytes(MiB);
  const id = createHash("sha256").update(content).digest("hex");
  const buffer = content.slice().buffer;
  return { id, buffer, bytes: content.byteLength, entries: new Uint32Array(0) };
}

async function untilBegun({ backend }: Opened, count: number): Promise<void> {
  while (backend.begun < count) await new Promise((resolve) => setImmediate(resolve));
}

describe("packs on their way to storage far away", () => {
  it("are as many as it has connections, most of them not in memory", async () => {
    const opened = await open(temporaryFolder);
    const { backend, store } = opened;
    const packs = Array.from({ length: 16 }, (_, seed) => newPack(seed));
    for (const pack of packs) {
      assert.ok(store.hasRoom);
      store.add(pack, "data");
    }
    assert.ok(!store.hasRoom);
    await untilBegun(opened, 16);
    const inMemory = packs.filter(({ buffer }) => !buffer.detached);
    assert.equal(inMemory.length, PACKS_IN_FLIGHT_MAX);
    backend.gate.resolve();
    await store.finish();
    for (const { id } of packs) {
      const stored = await backend.load({ type: "pack", name: id });
      assert.equal(createHash("sha256").update(stored).digest("hex"), id);
    }
  });

  it("are fewer where there is no folder for them, or a wrong one", async () => {
    for (const folder of [undefined, join(temporaryFolder, "missing")]) {
      const opened = await open(folder);
      const { store } = opened;
      for (let seed = 0; seed < 5; seed++) store.add(newPack(seed), "data");
      await untilBegun(opened, 5);
      assert.ok(!store.hasRoom);
      opened.backend.gate.resolve();
      await store.finish();
    }
  });

  it("are not kept where their file did not hold what was written", async () => {
    const opened = await open(temporaryFolder);
    const { backend, store } = opened;
    const packs = [1, 2, 3].map(newPack);
    for (const pack of packs) store.add(pack, "data");
    await untilBegun(opened, 3);
    for (const fd of readdirSync("/proc/self/fd")) spoilIfOurs(`/proc/self/fd/${fd}`);
    backend.gate.resolve();
    await assert.rejects(store.finish(), (error) =>
      isComebackError(error, "platform.temporary-files"),
    );
    const names = (await Array.fromAsync(backend.list("pack"))).map(({ name }) => name);
    assert.deepEqual(new Set(names), new Set(packs.slice(0, 2).map(({ id }) => id)));
  });

  it("count with what workers may finish meanwhile", async () => {
    const { store, backend } = await open(temporaryFolder);
    // A task fills half a pack.
    assert.ok(store.mayFill(31));
    assert.ok(!store.mayFill(32));
    for (let seed = 0; seed < 15; seed++) store.add(newPack(seed), "data");
    assert.ok(store.mayFill(1));
    assert.ok(!store.mayFill(2));
    store.add(newPack(15), "data");
    assert.ok(!store.mayFill(0));
    backend.gate.resolve();
    await store.finish();
    assert.ok(store.mayFill(0));
  });
});

function spoilIfOurs(path: string): void {
  try {
    if (!readlinkSync(path).startsWith(`${temporaryFolder}/`)) return;
  } catch {
    return;
  }
  writeFileSync(path, "X", { flag: "r+" });
}
