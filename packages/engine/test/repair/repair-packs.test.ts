import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultyBackend } from "@comeback/testkit";
import { planPackRepair } from "../../src/repair/pack-repair-plan.ts";
import { repairPacks } from "../../src/repair/repair-packs.ts";
import { dataBlob, flipBit } from "../repository-builder.ts";
import {
  checkAll,
  listed,
  makeSample,
  problems,
  runRepairIndex,
  runRepairPacks,
} from "./sample.ts";

describe("repair packs", () => {
  it("saves intact blobs, keeps the damaged pack aside, and removes it", async () => {
    const { builder, blobs, dataPacks } = await makeSample();
    builder.damage("pack", dataPacks[1]!, flipBit(5));
    const stored = builder.backend.contents().get("pack")?.get(dataPacks[1]!);
    await builder.repository.loadIndex();
    const { repository } = builder;
    // The beginning of an id is enough.
    const plan = await planPackRepair({ repository, packs: [dataPacks[1]!.slice(0, 10)] });
    const [finding] = plan.packs;
    assert.equal(finding?.state, "damaged");
    assert.deepEqual([finding?.intactBlobs, finding?.lostBlobs], [1, 1]);
    assert.deepEqual(finding?.lost, [{ type: "data", id: blobs.b.id }]);
    const kept = new Map<string, Uint8Array>();
    const result = await runRepairPacks(builder, [dataPacks[1]!], kept);
    assert.deepEqual(result, { blobsSaved: 1, blobsLost: 1, packsRemoved: 1 });
    assert.deepEqual(kept.get(dataPacks[1]!), stored);
    assert.ok(!(await listed(builder, "pack")).includes(dataPacks[1]!));
    assert.deepEqual(await problems(builder), ["blob-missing"]);
    await repository.loadIndex();
    assert.deepEqual(Buffer.from(await repository.loadBlob("data", blobs.c.id)).toString(), "cc");
  });

  it("saves everything where only name, header or trailer do not hold", async () => {
    for (const change of [
      flipBit(-1),
      flipBit(-40),
      (bytes: Buffer) => bytes.subarray(0, -8),
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(1, 2, 3)]),
    ]) {
      const { builder, dataPacks, treePack } = await makeSample();
      for (const pack of [dataPacks[0]!, treePack]) builder.damage("pack", pack, change);
      const result = await runRepairPacks(builder, [dataPacks[0]!, treePack]);
      assert.deepEqual([result.blobsSaved, result.blobsLost], [3, 0]);
      const { problems: left, hints } = await checkAll(builder);
      assert.deepEqual([left, hints], [[], []]);
    }
  });

  it("saves what a pack says it holds although no index lists it", async () => {
    const { builder, dataPacks, indexes } = await makeSample();
    await builder.backend.remove({ type: "index", name: indexes[0]! });
    builder.damage("pack", dataPacks[1]!, flipBit(5));
    const result = await runRepairPacks(builder, dataPacks);
    assert.deepEqual(result, { blobsSaved: 1, blobsLost: 1, packsRemoved: 1 });
    await runRepairIndex(builder);
    assert.deepEqual(await problems(builder), ["blob-missing"]);
  });

  it("saves what can be read around a bad sector", async () => {
    const { builder, dataPacks, blobs } = await makeSample();
    const faulty = new FaultyBackend(builder.backend.sharing());
    const repository = await builder.reopen(faulty);
    await repository.loadIndex();
    // The header, the whole, and the first of the two blobs cannot be read.
    for (let reading = 1; reading <= 3; reading++) {
      faulty.stage({ method: "load", type: "pack", when: reading, fault: { kind: "error" } });
    }
    const plan = await planPackRepair({ repository, packs: [dataPacks[1]!] });
    assert.deepEqual(plan.packs[0]?.lost, [{ type: "data", id: blobs.b.id }]);
    assert.equal(plan.packs[0]?.intactBlobs, 1);
  });

  it("stores a blob of two damaged packs once", async () => {
    const { builder, blobs, dataPacks } = await makeSample();
    const copy = await builder.pack(blobs.a, dataBlob("other"));
    await builder.index(copy);
    for (const pack of [dataPacks[0]!, copy.id]) builder.damage("pack", pack, flipBit(-1));
    const result = await runRepairPacks(builder, [dataPacks[0]!, copy.id]);
    assert.equal(result.blobsSaved, 2);
    assert.deepEqual(await problems(builder), []);
  });

  it("leaves sound packs alone, forgets missing ones, and refuses what it does not know", async () => {
    const { builder, dataPacks, treePack } = await makeSample();
    await builder.backend.remove({ type: "pack", name: dataPacks[0]! });
    builder.backend.overwrite({ type: "pack", name: "1".repeat(64) }, Buffer.from("no pack"));
    const before = await listed(builder, "pack");
    const result = await runRepairPacks(builder, [treePack, dataPacks[0]!, "1".repeat(64)]);
    assert.deepEqual(result, { blobsSaved: 0, blobsLost: 1, packsRemoved: 0 });
    assert.deepEqual(await listed(builder, "pack"), before);
    assert.deepEqual(await problems(builder), ["blob-missing"]);
    await assert.rejects(runRepairPacks(builder, ["ffffffffffff"]), { code: "option.invalid" });
    await assert.rejects(runRepairPacks(builder, [""]), { code: "option.invalid" });
  });

  it("keeps the marks of packs that wait to be deleted", async () => {
    const { builder, dataPacks } = await makeSample();
    const idle = await builder.pack(dataBlob("idle"));
    await builder.index({ ...idle, mark: { timeMs: 5 } }, await builder.pack(dataBlob("z")));
    const damaged = (await builder.repository.loadIndex()).packIds.at(-1)!;
    builder.damage("pack", damaged, flipBit(-1));
    builder.damage("pack", dataPacks[0]!, flipBit(-1));
    await runRepairPacks(builder, [damaged, dataPacks[0]!]);
    const index = await builder.repository.loadIndex({ includeMarked: true });
    assert.deepEqual(
      [...index.marks.keys()].map((pack) => index.packIds[pack]),
      [idle.id],
    );
  });

  it("makes nothing worse, wherever it is cut off", async () => {
    const run = async (backend: FaultyBackend, packs: readonly string[]): Promise<void> => {
      const { builder } = await makeSample();
      const repository = await builder.reopen(backend);
      await repository.loadIndex();
      const plan = await planPackRepair({ repository, packs });
      await repairPacks({ repository, plan, keep: async () => {} });
    };
    for (let call = 0, done = false; !done; call++) {
      const { builder, dataPacks, treePack } = await makeSample();
      for (const pack of [dataPacks[0]!, treePack]) builder.damage("pack", pack, flipBit(-1));
      const before = await problems(builder);
      const faulty = new FaultyBackend(builder.backend.sharing()).crashAfter(call);
      const packs = [dataPacks[0]!, treePack];
      done = await run(faulty, packs).then(
        () => true,
        () => false,
      );
      assert.equal(done, !faulty.crashed);
      const after = await problems(builder);
      assert.ok(after.length <= before.length, `after ${call} calls: ${after.join()}`);
      await runRepairPacks(
        builder,
        packs.filter((id) => builder.backend.contents().get("pack")?.has(id)),
      );
      assert.deepEqual(await problems(builder), [], `after ${call} calls`);
    }
  });
});
