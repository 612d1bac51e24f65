import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOneWinner, checkSomeWinner } from "@comeback/backend-layers/probe";
import {
  assertSameBytes,
  listedNames,
  MiB,
  newData,
  newFile,
  onStage,
  rejectsWith,
} from "./fixture.ts";
import type { MakeBackend } from "./fixture.ts";

/** Concurrent use, from one client and from several. */
export function testConcurrency(make: MakeBackend): void {
  test("many saves and loads at once", async () => {
    await using fixture = await make();
    await using other = await fixture.another();
    const clients = [fixture.backend, other];
    const stored = Array.from({ length: 60 }, (_, i) => ({
      file: newFile(i % 3 === 0 ? "index" : "pack"),
      data: newData(i * 1000),
    }));
    await Promise.all(
      stored.map(async ({ file, data }, i) => {
        await clients[i % 2]!.save(file, data);
        assertSameBytes(await clients[(i + 1) % 2]!.load(file), data, `file ${i}`);
      }),
    );
    for (const type of ["index", "pack"] as const) {
      const expected = stored.filter(({ file }) => file.type === type);
      const names = new Set(expected.map(({ file }) => file.name));
      assert.deepEqual(await listedNames(fixture.backend, type), names);
    }
  });

  test("of saves under one name at the same time one wins, where the store can see to it", () =>
    onStage(make, (stage) =>
      stage.backend.isCreateAtomic === false ? checkSomeWinner(stage) : checkOneWinner(stage),
    ));

  test("a list shows every file saved before it, while others are being saved", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const before = Array.from({ length: 20 }, () => newFile());
    for (const file of before) await backend.save(file, newData(10));
    const during = Array.from({ length: 20 }, () => newFile());
    const saves = Promise.all(during.map((file) => backend.save(file, newData(MiB / 4))));
    const names = await listedNames(backend, "pack");
    for (const { name } of before) assert.ok(names.has(name), `${name} is missing`);
    await saves;
    assert.equal((await listedNames(backend, "pack")).size, 40);
  });

  test("removals by two clients", async () => {
    await using fixture = await make();
    await using other = await fixture.another();
    const file = newFile("lock");
    await fixture.backend.save(file, newData(10));
    assert.deepEqual(await other.stat(file), { sizeBytes: 10 });
    await Promise.all([fixture.backend.remove(file), other.remove(file)]);
    await rejectsWith(fixture.backend.load(file), "backend.not-found");
    await rejectsWith(other.load(file), "backend.not-found");
  });
}
