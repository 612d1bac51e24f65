import assert from "node:assert/strict";
import { test } from "node:test";
import { type RepositoryFile, SALVAGE_MAX_MS, type SaveOptions } from "@comeback/core";
import { MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { PackStore } from "../../src/archive/pack-store.ts";
import { idWordsFromBytes } from "../../src/index/blob-table.ts";
import type { FinishedPack } from "../../src/pack/packer.ts";
import { Repository } from "../../src/repository/repository.ts";
import { CHEAP_SCRYPT, TEST_PASSWORD, treeBlob } from "../repository-builder.ts";

/** A store that takes no pack any more, and does not say so. */
class SilentBackend extends MemoryBackend {
  isSilent = false;

  override async save(
    file: RepositoryFile,
    data: Uint8Array,
    options: SaveOptions = {},
  ): Promise<void> {
    if (!this.isSilent) return await super.save(file, data, options);
    const { promise, reject } = Promise.withResolvers<never>();
    options.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error));
    await promise;
  }
}

function packOf(repository: Repository): FinishedPack {
  const { id, plaintext } = treeBlob([]);
  const bytes = Buffer.from(id, "hex");
  const words = idWordsFromBytes(bytes, new Uint32Array(8));
  const packer = repository.newPacker("tree");
  packer.add(bytes, repository.index.table.claimAgain("tree", words), plaintext);
  return packer.finish();
}

test("what an interrupted run stored is made known, but nobody waits long for it", async () => {
  for (const isSilent of [false, true]) {
    const backend = new SilentBackend();
    const clock = new SimulatedClock();
    await using repository = await Repository.init({
      backend,
      password: TEST_PASSWORD,
      clock,
      random: new SeededRandom(1),
      scryptCost: CHEAP_SCRYPT,
    });
    await repository.loadIndex();
    const store = new PackStore({
      repository,
      dryRun: false,
      mayWrite: Promise.resolve(),
      signal: new AbortController().signal,
      onStored: () => {},
    });
    backend.isSilent = isSilent;
    let isOver = false;
    const salvaged = store.salvage({ last: packOf(repository) }).finally(() => {
      isOver = true;
    });
    if (isSilent) {
      await clock.advance(SALVAGE_MAX_MS - 1);
      assert.ok(!isOver);
      await clock.advance(1);
    }
    assert.equal(await salvaged, !isSilent);
    assert.equal(clock.sleeping, 0);
    assert.equal((await Array.fromAsync(backend.list("index"))).length, isSilent ? 0 : 1);
  }
});
