import assert from "node:assert/strict";
import { test } from "node:test";
import { type ArchivedPack, type BackendArchive, THAW_POLL_MS } from "@comeback/core";
import { MemoryBackend, SimulatedClock } from "@comeback/testkit";
import { estimateThaw, type ThawPlan, waitForThaw } from "../../src/index.ts";

const GIGABYTE = 1024 ** 3;

function packOf(name: string, state: ArchivedPack["state"]): ArchivedPack {
  return { name, sizeBytes: 10 * GIGABYTE, state, storageClass: "DEEP_ARCHIVE" };
}

function planOf(packs: readonly ArchivedPack[]): ThawPlan {
  const archived = packs.filter(({ state }) => state === "archived");
  const thawing = packs.filter(({ state }) => state === "thawing");
  return { groups: [], archived, thawing, missing: [], tiers: [] };
}

/** Time goes on by itself as far as somebody sleeps. */
class RestlessClock extends SimulatedClock {
  readonly sleeps: number[] = [];

  override async sleep(delayMs: number): Promise<void> {
    this.sleeps.push(delayMs);
    await this.advance(delayMs);
  }
}

/** A store whose packs become readable one after the other. */
class ColdBackend extends MemoryBackend {
  readonly looks: string[][] = [];
  readonly archive: BackendArchive;

  constructor(clock: SimulatedClock, readableAtMs: ReadonlyMap<string, number>) {
    super();
    const { looks } = this;
    this.archive = {
      tiers: () => [],
      thaw: () => Promise.resolve(),
      async *states(names) {
        const asked = [...names];
        looks.push(asked);
        for (const name of asked) {
          const isReadable = clock.now() >= (readableAtMs.get(name) ?? 0);
          yield packOf(name, isReadable ? "readable" : "thawing");
        }
      },
    };
  }
}

test("waiting asks again for those alone that could not be read, at its pace", async () => {
  const clock = new RestlessClock();
  const readableAtMs = new Map(
    ["a", "b", "c"].map((name, i) => [name, clock.now() + i * THAW_POLL_MS]),
  );
  const backend = new ColdBackend(clock, readableAtMs);
  const plan = planOf([packOf("a", "archived"), packOf("b", "archived"), packOf("c", "thawing")]);
  const seen: number[] = [];
  await waitForThaw({ backend, clock }, plan, { onLook: ({ readable }) => seen.push(readable) });
  assert.deepEqual(backend.looks, [["a", "b", "c"], ["b", "c"], ["c"]]);
  assert.deepEqual(clock.sleeps, [THAW_POLL_MS, THAW_POLL_MS]);
  assert.deepEqual(seen, [1, 2, 3]);
});

test("an estimate is the retrieval, the requests and the copies while they last", () => {
  const plan = planOf([packOf("a", "archived"), packOf("b", "archived"), packOf("c", "thawing")]);
  const wish = { tier: "Standard", days: 30 };
  const published = estimateThaw(plan, wish);
  assert.ok(published);
  const storage = 20 * 0.023;
  assert.ok(Math.abs(published.ofWhichStorage - storage) < 1e-9);
  assert.ok(Math.abs(published.dollars - (20 * 0.02 + 2 * 0.0001 + storage)) < 1e-9);
  const price = { perGigabyte: 1, perThousandPacks: 1000 };
  const own = estimateThaw(plan, { ...wish, price });
  assert.ok(own && Math.abs(own.dollars - (20 + 2 + storage)) < 1e-9);
  assert.equal(estimateThaw(plan, { ...wish, tier: "Tomorrow" }), undefined);
});
