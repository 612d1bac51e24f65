import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { idWords } from "../../src/index/blob-table.ts";
import { decodeIndexFile, encodeIndexFile, type IndexedPack } from "../../src/index/index-file.ts";
import { type ScannedIndex, scanIndexFile } from "../../src/index/scan-index-file.ts";

const SEED = 61_273;

function randomPacks(random: SeededRandom): IndexedPack[] {
  return Array.from({ length: random.integer(0, 4) }, () => ({
    id: random.hex(32),
    blobs: Array.from({ length: random.integer(0, 6) }, () => ({
      id: random.hex(32),
      type: random.chance(30) ? ("tree" as const) : ("data" as const),
      offset: random.chance(20) ? 0xffff_ffff : random.integer(0, 20_000_000),
      length: random.integer(0, 8_000_000),
      uncompressedLength: random.chance(50) ? 0 : random.integer(1, 8_000_000),
    })),
  }));
}

/** In the words of the slow decoder. */
function packsOf(index: ScannedIndex): unknown[] {
  const id = new Uint32Array(8);
  return index.packs.map((pack) => ({
    id: pack.id,
    blobs: Array.from({ length: pack.end - pack.first }, (_, i) => {
      index.readId(pack.first + i, id);
      return { id: [...id], type: index.typeOf(pack.first + i), ...index.placeOf(pack.first + i) };
    }),
  }));
}

function plain(packs: readonly IndexedPack[]): unknown[] {
  return packs.map(({ id, blobs }) => ({
    id,
    blobs: blobs.map((blob) => ({
      id: [...idWords(blob.id, new Uint32Array(8))],
      type: blob.type,
      offset: blob.offset,
      length: blob.length,
      uncompressedLength: blob.uncompressedLength,
    })),
  }));
}

describe("scanIndexFile", () => {
  it(`reads what the encoder writes (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    for (let round = 0; round < 300; round++) {
      const packs = randomPacks(random);
      const scanned = scanIndexFile(encodeIndexFile(packs));
      assert.ok(scanned !== undefined, `round ${round}`);
      assert.deepEqual(packsOf(scanned), plain(packs), `round ${round}`);
    }
  });

  it(`agrees with the slow decoder on every text it accepts (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    let accepted = 0;
    let refused = 0;
    for (let round = 0; round < 6_000; round++) {
      const json = encodeIndexFile([...randomPacks(random), ...randomPacks(random)]);
      for (let changes = random.integer(1, 2); changes > 0; changes--) {
        const at = random.integer(0, json.length - 1);
        json[at] = random.chance(60) ? random.pick([...json]) : random.integer(0, 255);
      }
      const text = random.chance(20) ? json.subarray(0, random.integer(0, json.length)) : json;
      const scanned = scanIndexFile(text);
      if (scanned === undefined) {
        refused++;
        continue;
      }
      accepted++;
      assert.deepEqual(packsOf(scanned), plain(decodeIndexFile(text, "it")), `round ${round}`);
    }
    assert.ok(accepted > 500 && refused > 500, `${accepted} accepted, ${refused} refused`);
  });

  it("leaves to the slow decoder what others write differently", () => {
    const id = "ab".repeat(32);
    const blob = `{"id":"${id}","type":"data","offset":0,"length":40}`;
    const texts = [
      `{"supersedes":["${id}"],"packs":[{"id":"${id}","blobs":[${blob}]}]}`,
      `{"packs":[{"id":"${id}","blobs":[${blob}],"time":"2026-01-01T00:00:00Z"}]}`,
      `{ "packs":[{"id":"${id}","blobs":[${blob}]}]}`,
      `{"packs":[{"id":"${id}","blobs":[{"type":"data","id":"${id}","offset":0,"length":40}]}]}`,
    ];
    for (const text of texts) {
      assert.equal(scanIndexFile(Buffer.from(text)), undefined, text);
      assert.equal(decodeIndexFile(Buffer.from(text), "it")[0]?.blobs.length, 1, text);
    }
  });

  it("refuses numbers beyond the bounds, as the slow decoder does", () => {
    const id = "ab".repeat(32);
    for (const number of ["4294967296", "012", "1e3", "-1", "99999999999", ""]) {
      const text = `{"packs":[{"id":"${id}","blobs":[{"id":"${id}","type":"data","offset":${number},"length":40}]}]}`;
      assert.equal(scanIndexFile(Buffer.from(text)), undefined, number);
      if (number === "1e3") continue;
      const isRefused = (error: unknown): boolean => isComebackError(error, "repository.damaged");
      assert.throws(() => decodeIndexFile(Buffer.from(text), "it"), isRefused, number);
    }
  });
});
