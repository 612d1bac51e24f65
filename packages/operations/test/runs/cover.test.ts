import assert from "node:assert/strict";
import { test } from "node:test";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom } from "@comeback/testkit";
import { assertOutcome, DAY_MS, RunWorld } from "./run-world.ts";

runTasksInThisThread(new SeededRandom(17));

async function coveredWorld(): Promise<RunWorld> {
  return RunWorld.make(
    { sources: { a: {} }, to: "nas", copies: [{ from: "nas", to: "far" }] },
    { far: { "verify-within": "3d" } },
  );
}

function lastCoverage(world: RunWorld): string | undefined {
  return world.log.findLast(({ subject }) => subject === "far, packs")?.text;
}

test("all packs of a destination are read within the time, copies included", async () => {
  const world = await coveredWorld();
  for (let day = 0; day < 4; day++) {
    assertOutcome(await world.run(), "ok");
    await world.clock.advance(DAY_MS);
  }
  const [, read, packs] = /^(\d+) of (\d+) packs were read/.exec(lastCoverage(world) ?? "") ?? [];
  assert.ok(Number(packs) > 0, lastCoverage(world) ?? "nothing was said");
  assert.equal(read, packs);
  const proofs = await world.catalog.listProofs({ plan: "shop", limit: 100 });
  assert.equal(proofs.filter(({ destination }) => destination === "far").length, 4);
});

test("a pack that rots in a copy is found within the time, and fails the run", async () => {
  const world = await coveredWorld();
  assertOutcome(await world.run(), "ok");
  await using repository = await world.openFor("far");
  const packs = await Array.fromAsync(repository.backend.list("pack"));
  for (const { name } of packs) {
    const file = { type: "pack", name } as const;
    const bytes = Uint8Array.from(await repository.backend.load(file));
    bytes[10]! ^= 1;
    await repository.backend.remove(file);
    await repository.backend.save(file, bytes);
  }
  const outcomes = [];
  for (let day = 0; day < 4; day++) {
    await world.clock.advance(DAY_MS);
    await world.run();
    outcomes.push(world.outcomeOf("verify", "far, packs"));
  }
  assert.ok(outcomes.includes("failed"), outcomes.join());
});
