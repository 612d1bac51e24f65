import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import {
  ComebackError,
  isComebackError,
  type FileType,
  type LeftOver,
  type RepositoryFile,
} from "@comeback/core";
import { FaultyBackend, MemoryBackend, SeededRandom } from "@comeback/testkit";
import { TieredBackend } from "../src/index.ts";

const random = new SeededRandom(61);

interface Stored {
  readonly file: RepositoryFile;
  readonly data: Uint8Array<ArrayBuffer>;
}

function newStored(type: FileType): Stored {
  const data = random.bytes(100);
  return { file: { type, name: type === "config" ? "" : hash("sha256", data, "hex") }, data };
}

class Fixture {
  readonly hotMemory = new MemoryBackend();
  readonly coldMemory = new MemoryBackend();
  readonly hot = new FaultyBackend(this.hotMemory);
  readonly cold = new FaultyBackend(this.coldMemory);
  readonly backend = new TieredBackend({ hot: this.hot, cold: this.cold });

  isIn(part: "hot" | "cold", { type, name }: RepositoryFile): boolean {
    const memory = part === "hot" ? this.hotMemory : this.coldMemory;
    return memory.contents().get(type)?.has(name) ?? false;
  }

  places(file: RepositoryFile): string {
    return (["hot", "cold"] as const).filter((part) => this.isIn(part, file)).join(" ");
  }
}

test("cold holds everything; hot all but data packs and the config", async () => {
  const fixture = new Fixture();
  const { backend } = fixture;
  for (const type of ["key", "lock", "snapshot", "index"] as const) {
    const { file, data } = newStored(type);
    await backend.save(file, data);
    assert.equal(fixture.places(file), "hot cold", type);
  }
  const [tree, blobs, other, config] = [
    newStored("pack"),
    newStored("pack"),
    newStored("pack"),
    newStored("config"),
  ];
  await backend.save(tree.file, tree.data, { packContent: "tree" });
  await backend.save(blobs.file, blobs.data, { packContent: "data" });
  await backend.save(other.file, other.data);
  await backend.save(config.file, config.data);
  assert.equal(fixture.places(tree.file), "hot cold");
  for (const { file } of [blobs, other, config]) assert.equal(fixture.places(file), "cold");

  fixture.cold.calls.length = 0;
  assert.deepEqual(
    await backend.load(tree.file, { offset: 10, length: 20 }),
    tree.data.slice(10, 30),
  );
  assert.equal(fixture.cold.calls.length, 0);
  fixture.hot.calls.length = 0;
  for (const range of [{}, { offset: 1 }, { length: 9 }]) await backend.load(blobs.file, range);
  assert.equal(fixture.hot.calls.length, 1, "a data pack is looked for in hot once");
});

test("a hot copy that is missing, damaged or out of reach is made up for", async () => {
  const fixture = new Fixture();
  const { backend, hot, hotMemory } = fixture;
  const { file, data } = newStored("index");
  await backend.save(file, data);
  hotMemory.overwrite(file, data.slice(0, 50));
  assert.deepEqual(await backend.load(file), data);
  hot.stage({ method: "load", when: "always", fault: { kind: "error" } });
  assert.deepEqual(await backend.load(file), data);
  await hotMemory.remove(file);
  assert.deepEqual(await backend.load(file), data);
});

test("at every crash of a save, what is listed can be loaded from hot", async () => {
  for (const lastCall of ["lost", "made"] as const) {
    for (let calls = 0; calls < 4; calls++) {
      for (const part of ["hot", "cold"] as const) {
        const fixture = new Fixture();
        fixture[part].crashAfter(calls, lastCall);
        const { file, data } = newStored("snapshot");
        await fixture.backend.save(file, data).catch(() => undefined);
        const [hot, cold] = [fixture.hotMemory, fixture.coldMemory];
        const after = new TieredBackend({ hot, cold });
        const listed = await Array.fromAsync(after.list("snapshot"));
        if (listed.length > 0) assert.deepEqual(await hot.load(file), data);
        // Whatever was left behind, the next run can save it.
        if (listed.length === 0) await after.save(file, data);
        assert.equal(fixture.places(file), "hot cold");
      }
    }
  }
});

test("at every crash of a removal, what is listed can be loaded from hot", async () => {
  for (let calls = 0; calls < 2; calls++) {
    for (const part of ["hot", "cold"] as const) {
      const fixture = new Fixture();
      const { file, data } = newStored("snapshot");
      await fixture.backend.save(file, data);
      fixture[part].crashAfter(calls);
      await fixture.backend.remove(file).catch(() => undefined);
      const [hot, cold] = [fixture.hotMemory, fixture.coldMemory];
      const after = new TieredBackend({ hot, cold });
      const listed = await Array.fromAsync(after.list("snapshot"));
      if (listed.length > 0) assert.deepEqual(await hot.load(file), data);
      await after.remove(file);
      assert.equal(fixture.places(file), "");
    }
  }
});

test("a save that fails leaves nothing in hot, and one that came through leaves both", async () => {
  const failed = new Fixture();
  const { file, data } = newStored("index");
  failed.cold.stage({ method: "save", fault: { kind: "error" } });
  await assert.rejects(failed.backend.save(file, data), /a staged failure/);
  assert.equal(failed.places(file), "");
  const lost = new Fixture();
  lost.cold.stage({ method: "save", fault: { kind: "lost-answer" } });
  await assert.rejects(lost.backend.save(file, data), /a staged failure/);
  assert.equal(lost.places(file), "hot cold");
});

test("leftovers in hot do not stand in the way", async () => {
  const { file, data } = newStored("index");
  for (const left of [data, data.slice(0, 10), random.bytes(100)]) {
    const fixture = new Fixture();
    await fixture.hotMemory.save(file, left);
    await fixture.backend.save(file, data);
    assert.deepEqual(await fixture.hotMemory.load(file), data);
    assert.deepEqual(await fixture.coldMemory.load(file), data);
  }
});

test("what cold refuses to remove stays in hot", async () => {
  const fixture = new Fixture();
  const { file, data } = newStored("snapshot");
  await fixture.backend.save(file, data);
  const error = new ComebackError("backend.retained", "locked");
  fixture.cold.stage({ method: "remove", fault: { kind: "error", error } });
  await assert.rejects(fixture.backend.remove(file), (thrown) =>
    isComebackError(thrown, "backend.retained"),
  );
  assert.equal(fixture.places(file), "hot cold");
});

test("a pack that hot has needs no thaw", async () => {
  const [hot, memory] = [new MemoryBackend(), new MemoryBackend()];
  const locked: string[] = [];
  const cold = Object.assign(memory, {
    archive: {
      tiers: () => [],
      async *states(names: Iterable<string>) {
        for (const name of names) {
          yield { name, sizeBytes: 1, state: "archived", storageClass: "DEEP" } as const;
        }
      },
      thaw: async () => undefined,
    },
    retention: { lockedUntilMs: async () => 7, extend: async () => void locked.push("cold") },
  });
  const retaining = Object.assign(hot, {
    retention: {
      lockedUntilMs: async () => 0,
      extend: async () => {
        locked.push("hot");
        throw new ComebackError("backend.not-found", "only in cold");
      },
    },
  });
  const backend = new TieredBackend({ hot: retaining, cold });
  const [tree, blobs] = [newStored("pack"), newStored("pack")];
  await backend.save(tree.file, tree.data, { packContent: "tree" });
  await backend.save(blobs.file, blobs.data, { packContent: "data" });
  const states = await Array.fromAsync(backend.archive!.states([tree.file.name, blobs.file.name]));
  assert.deepEqual(
    states.map(({ state }) => state),
    ["readable", "archived"],
  );
  await backend.archive!.thaw(blobs.file.name, { tier: "Bulk", days: 1 });
  assert.deepEqual(backend.archive!.tiers("DEEP"), []);
  assert.equal(await backend.retention!.lockedUntilMs(blobs.file), 7);
  await backend.retention!.extend(blobs.file, 9);
  assert.deepEqual(locked, ["cold", "hot"]);
});

test("what killed saves left is found in both parts, and removed where it is", async () => {
  const removed: string[] = [];
  const littered = (place: string): MemoryBackend => {
    const remove = async (): Promise<void> => void removed.push(place);
    const leftOvers = async (): Promise<LeftOver[]> => [
      { path: "locks/a-tmp-b", sizeBytes: 1, modifiedMs: 2, remove },
    ];
    return Object.assign(new MemoryBackend(), { leftOvers });
  };
  for (const [hot, cold, places] of [
    [littered("hot"), littered("cold"), ["cold", "hot"]],
    [littered("hot"), new MemoryBackend(), ["hot"]],
    [new MemoryBackend(), littered("cold"), ["cold"]],
  ] as const) {
    removed.length = 0;
    const found = (await new TieredBackend({ hot, cold }).leftOvers?.()) ?? [];
    for (const file of found) await file.remove();
    assert.deepEqual(removed, places);
  }
  const [hot, cold] = [new MemoryBackend(), new MemoryBackend()];
  assert.equal(new TieredBackend({ hot, cold }).leftOvers, undefined);
});
