import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyBackend, MemoryBackend, SimulatedClock, stagedFailure } from "../src/index.ts";

const FILE = { type: "pack", name: "a".repeat(64) } as const;
const OTHER = { type: "index", name: "b".repeat(64) } as const;
const DATA = Uint8Array.of(1, 2, 3, 4);

async function names(backend: FaultyBackend): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of backend.list("pack")) found.push(name);
  return found;
}

function setUp(): { memory: MemoryBackend; faulty: FaultyBackend } {
  const memory = new MemoryBackend();
  return { memory, faulty: new FaultyBackend(memory) };
}

test("without a staged fault everything passes through, and is recorded", async () => {
  const { faulty } = setUp();
  await faulty.save(FILE, DATA);
  assert.deepEqual(await faulty.load(FILE), DATA);
  assert.deepEqual(await faulty.stat(FILE), { sizeBytes: 4 });
  assert.deepEqual(await names(faulty), [FILE.name]);
  await faulty.remove(FILE);
  assert.deepEqual(
    faulty.calls.map(({ method, type }) => `${method} ${type}`),
    ["save pack", "load pack", "stat pack", "list pack", "remove pack"],
  );
});

test("an error is staged once, always, or at the n-th call", async () => {
  const { faulty } = setUp();
  await faulty.save(FILE, DATA);
  faulty.stage({ method: "load", fault: { kind: "error" } });
  faulty.stage({ method: "load", fault: { kind: "error", error: new Error("third") }, when: 3 });
  await assert.rejects(faulty.load(FILE), { code: "backend.io", retryable: true });
  await faulty.load(FILE);
  await assert.rejects(faulty.load(FILE), /third/);
  await faulty.load(FILE);
  faulty.stage({ method: "stat", fault: { kind: "error" }, when: "always" });
  for (let i = 0; i < 3; i++) await assert.rejects(faulty.stat(FILE), { code: "backend.io" });
});

test("a fault may be for one type or one file, and for every method", async () => {
  const { faulty, memory } = setUp();
  faulty.stage({ method: "save", type: "index", fault: { kind: "error" } });
  faulty.stage({ method: "remove", name: FILE.name, fault: { kind: "error" } });
  faulty.stage({ method: "list", fault: { kind: "error" } });
  await faulty.save(FILE, DATA);
  await assert.rejects(faulty.save(OTHER, DATA), { code: "backend.io" });
  await faulty.remove(OTHER);
  await assert.rejects(faulty.remove(FILE), { code: "backend.io" });
  await assert.rejects(names(faulty), { code: "backend.io" });
  assert.deepEqual(await memory.load(FILE), DATA);
});

test("a lost answer: done, and yet failed", async () => {
  const { faulty, memory } = setUp();
  for (const method of ["save", "remove", "list"] as const) {
    faulty.stage({ method, fault: { kind: "lost-answer", error: stagedFailure("cut off") } });
  }
  await assert.rejects(faulty.save(FILE, DATA), /cut off/);
  assert.deepEqual(await memory.load(FILE), DATA);
  await assert.rejects(names(faulty), /cut off/);
  await assert.rejects(faulty.remove(FILE), /cut off/);
  await assert.rejects(memory.load(FILE), { code: "backend.not-found" });
});

test("torn, flipped and truncated", async () => {
  const { faulty, memory } = setUp();
  const stagedError = stagedFailure("torn");
  faulty.stage({ method: "save", fault: { kind: "torn-save", keepBytes: 2, error: stagedError } });
  await assert.rejects(faulty.save(FILE, DATA), /torn/);
  assert.deepEqual(await memory.load(FILE), DATA.slice(0, 2));
  memory.overwrite(FILE, DATA);
  faulty.stage({ method: "load", fault: { kind: "flip", atByte: 1 } });
  assert.deepEqual(await faulty.load(FILE), Uint8Array.of(1, 3, 3, 4));
  faulty.stage({ method: "load", fault: { kind: "flip", atByte: -1 }, when: 1 });
  assert.deepEqual(await faulty.load(FILE), Uint8Array.of(1, 2, 3, 5));
  faulty.stage({ method: "load", fault: { kind: "truncate", keepBytes: 3 } });
  assert.deepEqual(await faulty.load(FILE), DATA.slice(0, 3));
  faulty.stage({ method: "save", type: "index", fault: { kind: "flip", atByte: 0 } });
  const data = DATA.slice();
  await faulty.save(OTHER, data);
  assert.deepEqual(data, DATA, "the caller's data stays as it is");
  assert.deepEqual(await memory.load(OTHER), Uint8Array.of(0, 2, 3, 4));
});

test("a delay passes with the clock", async () => {
  const { faulty } = setUp();
  const clock = new SimulatedClock();
  faulty.stage({ method: "save", fault: { kind: "delay", delayMs: 5000, clock } });
  const state = { saved: false };
  const saved = faulty.save(FILE, DATA).then(() => {
    state.saved = true;
  });
  await clock.advance(4999);
  assert.equal(state.saved, false);
  await clock.advance(1);
  await saved;
});

test("a crash: calls under way lose their answers, later ones fail, the store stays", async () => {
  for (const lastCall of ["lost", "made"] as const) {
    const { faulty, memory } = setUp();
    faulty.crashAfter(2, lastCall);
    await faulty.stat(FILE).catch(() => undefined);
    const underWay = faulty.save(FILE, DATA);
    const crashing = faulty.save(OTHER, DATA);
    await Promise.all([underWay, crashing].map((call) => assert.rejects(call, /crashed/)));
    assert.ok(faulty.crashed);
    await assert.rejects(faulty.load(FILE), /crashed/);
    await assert.rejects(names(faulty), /crashed/);
    assert.deepEqual(await memory.load(FILE), DATA, "it had reached the store");
    const stored = memory.contents().get("index")?.size;
    assert.equal(stored, lastCall === "made" ? 1 : 0);
  }
});
