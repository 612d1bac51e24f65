import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import type { ArchivedPack, Backend, RepositoryFile } from "@comeback/core";
import { BUCKET, standInFixture } from "./stand-in-fixture.ts";
import type { StandInFixture } from "./stand-in-fixture.ts";

const HOUR_MS = 3_600_000;
const nameOf = (digit: string): string => digit.repeat(64);
const packOf = (digit: string): RepositoryFile => ({ type: "pack", name: nameOf(digit) });

async function coldFixture(clock: { nowMs: number }): Promise<StandInFixture> {
  return standInFixture({
    store: { nowMs: () => clock.nowMs },
    open: { settings: new Map([["storage-class-data", "DEEP_ARCHIVE"]]) },
  });
}

async function statesOf(backend: Backend, digits: string): Promise<ArchivedPack[]> {
  assert.ok(backend.archive);
  const packs: ArchivedPack[] = [];
  for await (const pack of backend.archive.states([...digits].map(nameOf))) packs.push(pack);
  return packs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

test("packs with file contents go to the class for them, all else stays hot", async () => {
  await using fixture = await coldFixture({ nowMs: 0 });
  const { backend, store } = fixture;
  const data = new Uint8Array(10);
  await backend.save(packOf("a"), data, { packContent: "data" });
  await backend.save(packOf("b"), data, { packContent: "tree" });
  for (const type of ["index", "snapshot", "key", "lock"] as const) {
    await backend.save({ type, name: nameOf("c") }, data);
  }
  await backend.save({ type: "config", name: "" }, data);
  const classes = new Map(
    [...(store.bucket(BUCKET)?.objects ?? [])].map(([key, { storageClass }]) => [
      key.replace("some/where/", "").slice(0, 9),
      storageClass,
    ]),
  );
  assert.equal(classes.size, 7);
  assert.equal(classes.get("data/aa/a"), "DEEP_ARCHIVE");
  for (const [key, storageClass] of classes) {
    if (key !== "data/aa/a") assert.equal(storageClass, "STANDARD", key);
  }
});

test("an archived pack is read only after it was thawed", async () => {
  const clock = { nowMs: 1_800_000_000_000 };
  await using fixture = await coldFixture(clock);
  const { backend } = fixture;
  const { archive } = backend;
  assert.ok(archive);
  await backend.save(packOf("a"), new Uint8Array(10), { packContent: "data" });
  await backend.save(packOf("b"), new Uint8Array(20), { packContent: "tree" });
  await assert.rejects(backend.load(packOf("a")), (error) => {
    assert.ok(isComebackError(error, "backend.archived"));
    assert.match(error.next ?? "", /comeback thaw/);
    return true;
  });
  assert.deepEqual(await backend.stat(packOf("a")), { sizeBytes: 10 });
  assert.deepEqual(await statesOf(backend, "abc"), [
    { name: nameOf("a"), sizeBytes: 10, state: "archived", storageClass: "DEEP_ARCHIVE" },
    { name: nameOf("b"), sizeBytes: 20, state: "readable", storageClass: "STANDARD" },
  ]);
  assert.deepEqual(
    archive.tiers("DEEP_ARCHIVE").map(({ name }) => name),
    ["Bulk", "Standard"],
  );
  await archive.thaw(nameOf("a"), { tier: "Standard", days: 2 });
  // Asked again, also by two at the same time, it is no error.
  await archive.thaw(nameOf("a"), { tier: "Standard", days: 2 });
  fixture.store.stage({ status: 409, code: "RestoreAlreadyInProgress", method: "POST" });
  await archive.thaw(nameOf("a"), { tier: "Standard", days: 2 });
  assert.equal((await statesOf(backend, "a"))[0]?.state, "thawing");
  await assert.rejects(backend.load(packOf("a")), (e) => isComebackError(e, "backend.archived"));
  clock.nowMs += 12 * HOUR_MS;
  assert.equal((await statesOf(backend, "a"))[0]?.state, "readable");
  assert.equal((await backend.load(packOf("a"))).byteLength, 10);
  clock.nowMs += 49 * HOUR_MS;
  assert.equal((await statesOf(backend, "a"))[0]?.state, "archived");
});

test("days and tiers that a store does not have are refused", async () => {
  await using fixture = await coldFixture({ nowMs: 0 });
  const { backend } = fixture;
  await backend.save(packOf("a"), new Uint8Array(10), { packContent: "data" });
  const thaw = backend.archive?.thaw(nameOf("a"), { tier: "Expedited", days: 1 });
  await assert.rejects(thaw!, (error) => isComebackError(error, "backend.io"));
  const zero = backend.archive?.thaw(nameOf("a"), { tier: "Bulk", days: 0 });
  await assert.rejects(zero!, (error) => isComebackError(error, "option.invalid"));
});
