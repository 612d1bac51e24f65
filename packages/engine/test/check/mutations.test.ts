import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type FileType, isComebackError } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { check } from "../../src/check/check.ts";
import type { Repository } from "../../src/repository/repository.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

const TYPES: readonly FileType[] = ["config", "key", "snapshot", "index", "pack"];
const ROUNDS = 40;

/** Every byte of a repository is covered: whatever changes anywhere is found, and nothing crashes. */
async function build(seed: number): Promise<RepositoryBuilder> {
  const builder = await RepositoryBuilder.create({ seed, version: seed % 2 === 0 ? 1 : 2 });
  const random = new SeededRandom(seed);
  const blobs = Array.from({ length: 6 }, () => dataBlob(random.bytes(random.integer(0, 3000))));
  const inner = treeBlob(blobs.slice(0, 3).map((blob, i) => fileNode(`file ${i}`, blob)));
  const root = treeBlob([folderNode("d", inner), fileNode("e", ...blobs)]);
  await builder.index(await builder.pack(...blobs));
  await builder.index(await builder.pack(inner, root));
  await builder.snapshot(root);
  return builder;
}

function mutate(bytes: Buffer, random: SeededRandom): Uint8Array {
  switch (random.integer(0, 3)) {
    case 0:
      return bytes.subarray(0, random.integer(0, bytes.length - 1));
    case 1:
      return Buffer.concat([bytes, random.bytes(random.integer(1, 100))]);
    case 2: {
      const at = random.integer(0, bytes.length - 1);
      bytes.writeUInt8(bytes.readUInt8(at) ^ random.integer(1, 255), at);
      return bytes;
    }
    default: {
      const from = random.integer(0, bytes.length - 1);
      const junk = random.bytes(random.integer(1, bytes.length - from));
      return Buffer.concat([bytes.subarray(0, from), junk, bytes.subarray(from + junk.length)]);
    }
  }
}

describe("a repository with any change at all", () => {
  it(`is found to be damaged, ${ROUNDS} seeds`, async () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const builder = await build(seed);
      const random = new SeededRandom(seed * 1000);
      const type = random.pick(TYPES);
      const names = [...(builder.backend.contents().get(type) ?? new Map()).keys()] as string[];
      const name = random.pick(names);
      builder.damage(type, name, (bytes) => {
        const before = Buffer.from(bytes);
        const after = mutate(bytes, random);
        return before.equals(after) ? before.subarray(1) : after;
      });
      let repository: Repository;
      try {
        repository = await builder.reopen();
      } catch (error) {
        assert.ok(isComebackError(error), `seed ${seed}: ${String(error)}`);
        assert.ok(type === "config" || type === "key", `seed ${seed}`);
        continue;
      }
      const result = await check({ repository, readData: { kind: "all" }, workers: 1 });
      assert.equal(result.ok, false, `seed ${seed}: a changed ${type}`);
      assert.equal(result.problems[0]?.file?.name, name, `seed ${seed}`);
    }
  });
});
