import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import type { Backend, FileType } from "@comeback/core";
import { MemoryBackend, SimulatedStore, type SimulatedTrouble, Simulation } from "../src/index.ts";

const CALM: SimulatedTrouble = {
  failuresPercent: 0,
  crashesPercent: 0,
  tornPercent: 0,
  duplicatesPercent: 0,
  switchesPercent: 50,
  jumpsPercent: 0,
  jumpsMs: [],
  sleepsPercent: 0,
};
const nameOf = (digit: string): string => digit.repeat(64);

async function namesIn(backend: Backend, type: FileType): Promise<string[]> {
  return (await Array.fromAsync(backend.list(type), ({ name }) => name)).toSorted();
}

async function saveAll(backend: Backend, digits: string): Promise<number> {
  let failed = 0;
  for (const digit of digits) {
    const file = { type: "pack", name: nameOf(digit) } as const;
    await backend.save(file, Buffer.from(digit)).catch(() => failed++);
  }
  return failed;
}

describe("a simulation", () => {
  it("runs the same way for the same seed, and another way for another", async () => {
    const run = async (seed: number): Promise<string> => {
      using simulation = new Simulation(seed, { ...CALM, failuresPercent: 20, crashesPercent: 3 });
      const store = new SimulatedStore("store", new MemoryBackend());
      for (const [client, digits] of Object.entries({ A: "0123", B: "4567" })) {
        simulation.client(client, async ({ process }) => {
          await saveAll(process.backend(store), digits);
        });
      }
      await simulation.run();
      return simulation.trace.hash;
    };
    const hashes = [await run(1), await run(1), await run(2)];
    assert.equal(hashes[0], hashes[1]);
    assert.notEqual(hashes[0], hashes[2]);
  });

  it("makes nothing of a process after its crash, and goes on with the next one", async () => {
    using simulation = new Simulation(1, { ...CALM, crashesPercent: 100 });
    const store = new SimulatedStore("store", new MemoryBackend());
    simulation.client("A", async (client) => {
      const { process } = client;
      assert.equal(await saveAll(process.backend(store), "0123"), 4);
      assert.ok(process.crashed);
      simulation.calm();
      assert.equal(await saveAll(client.newProcess().backend(store), "4567"), 0);
    });
    await simulation.run();
    const names = await namesIn(store.memory, "pack");
    assert.deepEqual(names.slice(-4), [..."4567"].map(nameOf));
    assert.ok(names.length <= 5, "at most the call at which it crashed was made");
  });

  it("listens to the signal of a call no longer than the call takes", async () => {
    using simulation = new Simulation(1, CALM);
    const store = new SimulatedStore("store", new MemoryBackend());
    const { signal } = new AbortController();
    simulation.client("A", async ({ process }) => {
      const saving = process
        .backend(store)
        .save({ type: "pack", name: nameOf("0") }, Buffer.from("0"), { signal });
      assert.equal(getEventListeners(signal, "abort").length, 1);
      await saving;
    });
    await simulation.run();
    assert.deepEqual(getEventListeners(signal, "abort"), []);
  });

  it("leaves parts of files where it is told to, and counts them", async () => {
    using simulation = new Simulation(1, { ...CALM, failuresPercent: 100, tornPercent: 100 });
    const store = new SimulatedStore("store", new MemoryBackend());
    const whole = Buffer.from("all of it");
    simulation.client("A", async ({ process }) => {
      for (const digit of "0123456789") {
        const file = { type: "pack", name: nameOf(digit) } as const;
        await assert.rejects(process.backend(store).save(file, whole), { code: "backend.io" });
      }
    });
    await simulation.run();
    const sizes = await Array.fromAsync(store.memory.list("pack"), (file) => file.sizeBytes);
    const parts = sizes.filter((sizeBytes) => sizeBytes < whole.length);
    assert.ok(parts.length > 0 && parts.length < 10, "the others were saved, and the answer lost");
    assert.equal(store.torn, parts.length);
  });

  it("has lists lag behind what others saved, and never longer than the store says", async () => {
    const seen = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      using simulation = new Simulation(seed, CALM);
      const store = new SimulatedStore("store", new MemoryBackend(1_000));
      simulation.client("A", async ({ process }) => {
        const own = process.backend(store);
        await saveAll(own, "0123");
        assert.equal((await namesIn(own, "pack")).length, 4, "its own files are there at once");
      });
      await simulation.run();
      simulation.client("B", async ({ process }) => {
        const other = process.backend(store);
        seen.add((await namesIn(other, "pack")).length);
        await simulation.clock.sleep(1_000);
        assert.equal((await namesIn(other, "pack")).length, 4);
      });
      await simulation.run();
    }
    assert.ok(seen.size > 1, "some were missing at first");
  });
});
