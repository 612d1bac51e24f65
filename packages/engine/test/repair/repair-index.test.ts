import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultyBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { decodeIndexFile, encodeIndexFile } from "../../src/index/index-file.ts";
import { planIndexRepair } from "../../src/repair/index-repair-plan.ts";
import { repairIndex } from "../../src/repair/repair-index.ts";
import { Repository } from "../../src/repository/repository.ts";
import { dataBlob, flipBit, TEST_PASSWORD } from "../repository-builder.ts";
import { checkAll, listed, makeSample, problems, runRepairIndex } from "./sample.ts";

describe("repair index", () => {
  it("has nothing to do where nothing is wrong", async () => {
    const { builder } = await makeSample();
    const plan = await planIndexRepair({ repository: builder.repository });
    assert.equal(plan.isNeeded, false);
    assert.deepEqual([plan.indexFiles, plan.packs], [2, 3]);
    const before = await listed(builder, "index");
    const result = await repairIndex({ repository: builder.repository, plan });
    assert.deepEqual(await listed(builder, "index"), before);
    assert.deepEqual([result.indexFilesWritten, result.indexFilesRemoved], [0, 0]);
  });

  it("keeps what a list names twice", async () => {
    const { builder } = await makeSample();
    const before = await listed(builder, "index");
    const backend = new FaultyBackend(builder.backend);
    backend.stage({ method: "list", fault: { kind: "repeat" }, when: "always" });
    const repository = await Repository.open({
      backend,
      password: TEST_PASSWORD,
      clock: new SimulatedClock(),
      random: new SeededRandom(1),
    });
    const plan = await planIndexRepair({ repository });
    assert.equal(plan.isNeeded, false);
    await repairIndex({ repository, plan });
    assert.deepEqual(await listed(builder, "index"), before);
  });

  it("replaces damaged index files by what the packs say", async () => {
    for (const change of [
      flipBit(50),
      (bytes: Buffer) => bytes.subarray(0, 20),
      () => Buffer.of(),
    ]) {
      const { builder, indexes, dataPacks } = await makeSample();
      builder.damage("index", indexes[0]!, change);
      const plan = await planIndexRepair({ repository: builder.repository });
      assert.deepEqual(
        plan.damagedIndexFiles.map(({ name }) => name),
        [indexes[0]],
      );
      assert.deepEqual(plan.packsToRead.map(({ name }) => name).sort(), [...dataPacks].sort());
      assert.deepEqual(plan.replacedIndexFiles, []);
      await repairIndex({ repository: builder.repository, plan });
      assert.ok(!(await listed(builder, "index")).includes(indexes[0]!));
      assert.deepEqual(await problems(builder), []);
    }
  });

  it("lists packs again whose index file is gone", async () => {
    const { builder, indexes } = await makeSample();
    for (const name of indexes) await builder.backend.remove({ type: "index", name });
    const result = await runRepairIndex(builder);
    assert.equal(result.packsRead, 3);
    assert.deepEqual(await problems(builder), []);
    assert.deepEqual((await checkAll(builder)).hints, []);
  });

  it("forgets packs that are gone, and keeps what else their index file lists", async () => {
    const { builder, dataPacks, indexes } = await makeSample();
    await builder.backend.remove({ type: "pack", name: dataPacks[0]! });
    const plan = await planIndexRepair({ repository: builder.repository });
    assert.deepEqual(plan.missingPacks, [dataPacks[0]]);
    assert.deepEqual(plan.replacedIndexFiles, [indexes[0]]);
    await repairIndex({ repository: builder.repository, plan });
    assert.deepEqual(await problems(builder), ["blob-missing"]);
  });

  it("lists a pack once, and as the pack itself says", async () => {
    const { builder, dataPacks } = await makeSample();
    const other = await builder.pack(dataBlob("x"), dataBlob("yy"));
    await builder.index(other);
    await builder.index(other);
    const swapped = other.blobs.map((blob, i) => ({ ...blob, id: other.blobs[1 - i]!.id }));
    await builder.index({ id: other.id, blobs: swapped });
    await builder.index({ id: dataPacks[0]!, blobs: [other.blobs[0]!] });
    assert.ok((await problems(builder)).length > 0);
    await runRepairIndex(builder);
    const { problems: left, hints } = await checkAll(builder);
    assert.deepEqual([left, hints], [[], []]);
  });

  it("brings index files of the first format up to date", async () => {
    const { builder, indexes } = await makeSample();
    const { repository } = builder;
    const packs = decodeIndexFile(await repository.loadUnpacked("index", indexes[0]!), "index");
    const json = JSON.parse(encodeIndexFile(packs).toString()) as { packs: unknown };
    await builder.backend.remove({ type: "index", name: indexes[0]! });
    await repository.saveUnpacked("index", Buffer.from(JSON.stringify(json.packs)));
    assert.equal((await checkAll(builder)).hints[0]?.kind, "old-index-format");
    await runRepairIndex(builder);
    assert.deepEqual((await checkAll(builder)).hints, []);
    assert.deepEqual(await problems(builder), []);
  });

  it("finds with readAllPacks what the sizes do not show", async () => {
    const { builder, dataPacks, indexes } = await makeSample();
    const { repository } = builder;
    const packs = decodeIndexFile(await repository.loadUnpacked("index", indexes[0]!), "index");
    const wrong = packs.map(({ id, blobs }) => ({
      id,
      blobs: blobs.map((blob) => (id === dataPacks[0] ? { ...blob, id: "0".repeat(64) } : blob)),
    }));
    await builder.backend.remove({ type: "index", name: indexes[0]! });
    await builder.index(...wrong);
    await runRepairIndex(builder);
    assert.notDeepEqual(await problems(builder), []);
    const result = await runRepairIndex(builder, { readAllPacks: true });
    assert.equal(result.packsRead, 3);
    assert.deepEqual(await problems(builder), []);
  });

  it("keeps the list of a pack that cannot say itself what it holds", async () => {
    const { builder, dataPacks } = await makeSample();
    builder.damage("pack", dataPacks[1]!, (bytes) => bytes.subarray(0, -10));
    const result = await runRepairIndex(builder);
    assert.deepEqual(
      result.unreadablePacks.map(({ name, isIndexed }) => [name, isIndexed]),
      [[dataPacks[1], true]],
    );
    await builder.repository.loadIndex();
    assert.ok(builder.repository.index.hasPack(dataPacks[1]!));
  });

  it("leaves a pack alone that nothing is known of", async () => {
    const { builder } = await makeSample();
    builder.backend.overwrite(
      { type: "pack", name: "1".repeat(64) },
      Buffer.from("rest of a crash"),
    );
    const result = await runRepairIndex(builder);
    assert.deepEqual(
      result.unreadablePacks.map(({ isIndexed }) => isIndexed),
      [false],
    );
    assert.deepEqual(await problems(builder), []);
  });

  it("keeps the marks of packs that wait to be deleted, as long as they are there", async () => {
    const { builder, dataPacks } = await makeSample();
    const idle = [await builder.pack(dataBlob("idle")), await builder.pack(dataBlob("gone"))];
    const mark = { timeMs: Date.UTC(2026, 0, 1), sizeBytes: 7 };
    await builder.index(
      ...idle.map((pack) => ({ ...pack, mark })),
      await builder.pack(dataBlob("z")),
    );
    await builder.backend.remove({ type: "pack", name: idle[1]!.id });
    await builder.backend.remove({ type: "pack", name: dataPacks[0]! });
    const plan = await planIndexRepair({ repository: builder.repository });
    assert.deepEqual(plan.missingMarkedPacks, [idle[1]!.id]);
    assert.deepEqual(plan.packsToRead, []);
    await repairIndex({ repository: builder.repository, plan });
    const index = await builder.repository.loadIndex({ includeMarked: true });
    assert.deepEqual(
      [...index.marks].map(([pack, { timeMs }]) => [index.packIds[pack], timeMs]),
      [[idle[0]!.id, mark.timeMs]],
    );
  });

  it("lists no less than before, wherever it is cut off", async () => {
    const { builder: whole } = await makeSample();
    const calls = new FaultyBackend(whole.backend.sharing());
    await run(calls);
    assert.ok(calls.calls.length > 10);
    for (let call = 0; call < calls.calls.length; call++) {
      const { builder, indexes, dataPacks } = await makeSample();
      builder.damage("index", indexes[1]!, flipBit(40));
      await builder.index(await builder.pack(dataBlob("more")), {
        id: dataPacks[0]!,
        blobs: [],
      });
      const faulty = new FaultyBackend(builder.backend.sharing());
      const before = await problems(builder);
      await assert.rejects(run(faulty.crashAfter(call)), /crashed/);
      const after = await problems(builder);
      assert.ok(after.length <= before.length, `after ${call} calls: ${after.join()}`);
      await runRepairIndex(builder);
      assert.deepEqual(await problems(builder), [], `after ${call} calls`);
    }

    async function run(backend: FaultyBackend): Promise<void> {
      const repository = await whole.reopen(backend);
      await repairIndex({
        repository,
        plan: await planIndexRepair({ repository, readAllPacks: true }),
      });
    }
  });
});
