import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { WaitingPacks } from "../../src/archive/waiting-packs.ts";

const MiB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "comeback-waiting-"));
after(() => rmSync(folder, { recursive: true }));

function newPack(seed: number, sizeBytes = MiB): { id: string; data: Uint8Array } {
  const data = new SeededRandom(seed).bytes(sizeBytes);
  return { id: createHash("sha256").update(data).digest("hex"), data };
}

/** By descriptor, the files in our folder that have no name any more. */
function namelessFiles(): string[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => `/proc/self/fd/${fd}`)
    .filter((path) => {
      try {
        return readlinkSync(path).startsWith(`${folder}/`);
      } catch {
        return false;
      }
    });
}

describe("packs that wait in files", () => {
  it("are as they were, each in its own file, and the files are used again", async () => {
    const packs = new WaitingPacks({ folder, fileBytes: 2 * MiB });
    for (let round = 0; round < 2; round++) {
      const some = [1, 2, 3].map((seed) => newPack(10 * round + seed, MiB + seed));
      const waiting = await Promise.all(some.map(({ id, data }) => packs.add(id, data)));
      for (const [place, pack] of waiting.entries()) {
        assert.ok(Buffer.compare(pack!.data, some[place]!.data) === 0);
        pack!.assertIntact();
        pack![Symbol.dispose]();
      }
      assert.equal(namelessFiles().length, 3);
    }
    packs.clear();
    assert.deepEqual(namelessFiles(), []);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("say so where the file holds something else in the end", async () => {
    const packs = new WaitingPacks({ folder, fileBytes: 2 * MiB });
    const { id, data } = newPack(4);
    using waiting = await packs.add(id, data);
    const [file] = namelessFiles();
    writeFileSync(file!, "X", { flag: "r+" });
    assert.throws(
      () => waiting!.assertIntact(),
      (error) => isComebackError(error, "platform.temporary-files"),
    );
  });

  it("stay in memory where the folder is none, or the pack is too large", async () => {
    const missing = new WaitingPacks({ folder: join(folder, "missing"), fileBytes: 2 * MiB });
    const { id, data } = newPack(5);
    assert.equal(await missing.add(id, data), undefined);
    assert.equal(missing.isUsable, false);

    const small = new WaitingPacks({ folder, fileBytes: MiB / 2 });
    assert.equal(await small.add(id, data), undefined);
    assert.equal(small.isUsable, true);
  });
});
