import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { ComebackError } from "@comeback/core";
import { SeededRandom, type SimulatedClock } from "@comeback/testkit";
import fc from "fast-check";
import { check } from "../../src/check/check.ts";
import { CheckMemory, type CoveredPack, DAY_MS } from "../../src/check/check-memory.ts";
import { checkMemoryPath, loadCheckMemory, saveCheckMemory } from "../../src/check/memory-file.ts";
import { dataBlob, flipBit, RepositoryBuilder, treeBlob } from "../repository-builder.ts";

const REPOSITORY = "a".repeat(64);
const START = 1_800_000_000_000;

function packsOf(seed: number, count: number): CoveredPack[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => ({
    id: random.hex(32),
    sizeBytes: random.integer(1, 17_000_000),
  }));
}

/** One run: reads what is due, and gives how many bytes that was. */
function run(
  memory: CheckMemory,
  packs: readonly CoveredPack[],
  everyMs: number,
  nowMs: number,
): number {
  const chosen = memory.choose(packs, everyMs, nowMs);
  for (const { id } of chosen) memory.noteVerified(id, nowMs);
  memory.notePresent(packs, nowMs);
  memory.noteChosen(nowMs);
  return chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

describe("a check's memory", () => {
  it("covers every pack within the time when it runs daily, while packs come and go", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 2, max: 20 }),
      fc.integer({ min: 0, max: 60 }),
      (seed, days, count) => {
        const random = new SeededRandom(seed);
        const memory = new CheckMemory(REPOSITORY);
        let packs = packsOf(seed, count);
        const bornMs = new Map(packs.map(({ id }) => [id, START]));
        const readMs = new Map<string, number>();
        for (let day = 0; day < days * 3; day++) {
          // People's timers are not exact.
          const nowMs = START + day * DAY_MS + random.integer(0, 1000);
          const due = memory.choose(packs, days * DAY_MS, nowMs);
          for (const { id } of due) readMs.set(id, nowMs);
          run(memory, packs, days * DAY_MS, nowMs);
          for (const { id } of packs) {
            const ageMs = nowMs - Math.max(readMs.get(id) ?? 0, bornMs.get(id) ?? 0);
            assert.ok(
              ageMs <= days * DAY_MS + 2000,
              `pack ${id} was left for ${ageMs / DAY_MS} days`,
            );
          }
          packs = packs.filter(() => random.integer(0, 20) > 0);
          for (const added of packsOf(seed * 1000 + day, random.integer(0, 5))) {
            packs.push(added);
            bornMs.set(added.id, nowMs);
          }
        }
      },
    );
    fc.assert(property, { seed: 20_261, numRuns: 60 });
  });

  it("reads about as much each day, and nothing twice in a row", () => {
    const packs = packsOf(1, 300);
    const total = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const memory = new CheckMemory(REPOSITORY);
    for (let day = 0; day < 60; day++) {
      const nowMs = START + day * DAY_MS;
      const bytes = run(memory, packs, 30 * DAY_MS, nowMs);
      assert.ok(bytes >= total / 30 - 17_000_000 && bytes <= total / 30 + 17_000_000, `${bytes}`);
      assert.equal(run(memory, packs, 30 * DAY_MS, nowMs), 0);
    }
    assert.equal(
      run(memory, packs, 30 * DAY_MS, START + 500 * DAY_MS),
      total,
      "after a long pause",
    );
    assert.equal(run(memory, packs, 30 * DAY_MS, START), 0, "a clock that was set back");
  });

  it("reads damaged packs again every time, and forgets packs that are gone", () => {
    const packs = packsOf(2, 50);
    const memory = new CheckMemory(REPOSITORY);
    run(memory, packs, DAY_MS, START);
    memory.noteDamaged(packs[7]!.id);
    const due = memory.choose(packs, 30 * DAY_MS, START + 1000);
    assert.deepEqual(due, [packs[7]]);
    const { verifiedPacks, oldestMs } = memory.coverage(packs, START);
    assert.deepEqual([verifiedPacks, oldestMs], [49, undefined]);
    memory.notePresent(packs.slice(0, 5), START);
    assert.equal((memory.encode().match(/[0-9a-f]{64}"/g) ?? []).length, 6, "and the repository");
  });

  it("comes back from its text as it was, and from no other", () => {
    const packs = packsOf(3, 20);
    const memory = new CheckMemory(REPOSITORY);
    run(memory, packs, 4 * DAY_MS, START);
    const again = CheckMemory.decode(memory.encode(), REPOSITORY);
    assert.equal(again.encode(), memory.encode());
    const nowMs = START + DAY_MS;
    assert.deepEqual(
      again.choose(packs, 4 * DAY_MS, nowMs),
      memory.choose(packs, 4 * DAY_MS, nowMs),
    );
    for (const text of [
      "",
      "null",
      "[]",
      "{}",
      '{"format":2,"packs":{}}',
      memory.encode().slice(0, -10),
      memory.encode().replace(/\[\d+/, '["x"'),
      memory.encode().replace(/"[0-9a-f]{64}":/, '"nothing":'),
    ]) {
      assert.throws(() => CheckMemory.decode(text, REPOSITORY), Error, text);
    }
    assert.throws(() => CheckMemory.decode(memory.encode(), "b".repeat(64)), /another repository/);
  });
});

describe("a check's memory in its file", () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-check-memory-"));
  after(() => rmSync(folder, { recursive: true }));
  const warnings: ComebackError[] = [];
  const warn = (error: ComebackError): void => void warnings.push(error);

  it("stands where the system keeps state, and is replaced as a whole", async () => {
    const path = checkMemoryPath(REPOSITORY, { XDG_STATE_HOME: folder });
    assert.equal(path, join(folder, "comeback/check", `${REPOSITORY}.json`));
    assert.match(checkMemoryPath(REPOSITORY, { XDG_STATE_HOME: "relative" }), /\.local\/state/);
    const memory = await loadCheckMemory(path, REPOSITORY, warn);
    memory.noteVerified("1".repeat(64), START);
    await saveCheckMemory(path, memory, warn);
    memory.noteVerified("2".repeat(64), START);
    await saveCheckMemory(path, memory, warn);
    assert.deepEqual(readdirSync(join(folder, "comeback/check")), [`${REPOSITORY}.json`]);
    const again = await loadCheckMemory(path, REPOSITORY, warn);
    assert.equal(again.encode(), memory.encode());
    assert.deepEqual(warnings, []);
  });

  it("is as nothing where it is not readable, and a check that cannot write it goes on", async () => {
    const path = join(folder, "odd.json");
    writeFileSync(path, "no json");
    const memory = await loadCheckMemory(path, REPOSITORY, warn);
    assert.equal(memory.encode(), new CheckMemory(REPOSITORY).encode());
    await saveCheckMemory(join(path, "below-a-file"), memory, warn);
    assert.deepEqual(
      warnings.splice(0).map(({ code }) => code),
      ["cache.unusable", "cache.unusable"],
    );
    assert.equal(readFileSync(path, "utf8"), "no json");
  });
});

describe("a check with a memory", () => {
  it("remembers what it read, reads what is due, and says how much is covered", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const clock = repository.clock as SimulatedClock;
    const blobs = Array.from({ length: 12 }, (_, i) => dataBlob(new SeededRandom(i).bytes(1000)));
    const packs = [];
    for (const blob of blobs) packs.push(await builder.pack(blob));
    const tree = treeBlob([]);
    const trees = await builder.pack(tree);
    await builder.index(trees, ...packs);
    await builder.snapshot(tree);
    const memory = new CheckMemory(repository.config.id);
    const everyMs = 4 * DAY_MS;
    const options = { repository, memory, workers: 1 };
    const read: number[] = [];
    for (let day = 0; day < 4; day++) {
      const { counts, coverage } = await check({
        ...options,
        readData: { kind: "every", everyMs },
      });
      read.push(counts.packsRead);
      assert.equal(coverage?.recentPacks, coverage?.verifiedPacks);
      await clock.advance(DAY_MS);
    }
    assert.deepEqual(read, [4, 4, 4, 4], "a fourth of twelve, and the trees");
    const { coverage } = await check(options);
    assert.deepEqual([coverage?.packs, coverage?.verifiedPacks], [13, 13]);
    assert.equal(coverage?.oldestMs, clock.now() - 4 * DAY_MS);

    builder.damage("pack", packs[3]!.id, flipBit(9));
    for (let again = 0; again < 2; again++) {
      await check({ ...options, readData: { kind: "all" } });
      const due = await check({ ...options, readData: { kind: "every", everyMs } });
      assert.deepEqual(due.damagedPacks, [packs[3]!.id]);
    }
  });
});
