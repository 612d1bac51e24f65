import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Chunker, type ChunkSizes, createChunker } from "../../src/chunker/chunker.ts";
import { goRandomBytes } from "./go-random.ts";

/** The vectors of restic's chunker (github.com/restic/chunker, chunker_test.go). */
const POLYNOMIAL = 0x3d_a335_8b4d_c173n;
const KiB = 1024;
const MiB = 1024 * KiB;
const SIZES: ChunkSizes = { minBytes: 512 * KiB, maxBytes: 8 * MiB, averageBits: 20 };
const random = goRandomBytes(23, 32 * MiB);

const DEFAULT_CHUNKS: readonly (readonly [length: number, sha256: string])[] = [
  [2163460, "4b94cb2cf293855ea43bf766731c74969b91aa6bf3c078719aabdd19860d590d"],
  [643703, "5727a63c0964f365ab8ed2ccf604912f2ea7be29759a2b53ede4d6841e397407"],
  [1528956, "a73759636a1e7a2758767791c69e81b69fb49236c6929e5d1b654e06e37674ba"],
  [1955808, "c955fb059409b25f07e5ae09defbbc2aadf117c97a3724e06ad4abd2787e6824"],
  [2222372, "6ba5e9f7e1b310722be3627716cf469be941f7f3e39a4c3bcefea492ec31ee56"],
  [2538687, "8687937412f654b5cfe4a82b08f28393a0c040f77c6f95e26742c2fc4254bfde"],
  [609606, "5da820742ff5feb3369112938d3095785487456f65a8efc4b96dac4be7ebb259"],
  [1205738, "cc70d8fad5472beb031b1aca356bcab86c7368f40faa24fe5f8922c6c268c299"],
  [959742, "4065bdd778f95676c92b38ac265d361f81bff17d76e5d9452cf985a2ea5a4e39"],
  [4036109, "b9cf166e75200eb4993fc9b6e22300a6790c75e6b0fc8f3f29b68a752d42f275"],
  [1525894, "2f238180e4ca1f7520a05f3d6059233926341090f9236ce677690c1823eccab3"],
  [1352720, "afd12f13286a3901430de816e62b85cc62468c059295ce5888b76b3af9028d84"],
  [811884, "42d0cdb1ee7c48e552705d18e061abb70ae7957027db8ae8db37ec756472a70a"],
  [1282314, "819721c2457426eb4f4c7565050c44c32076a56fa9b4515a1c7796441730eb58"],
  [1318021, "842eb53543db55bacac5e25cb91e43cc2e310fe5f9acc1aee86bdf5e91389374"],
  [948640, "b8e36bf7019bb96ac3fb7867659d2167d9d3b3148c09fe0de45850b8fe577185"],
  [645464, "5584bd27982191c3329f01ed846bfd266e96548dfa87018f745c33cfc240211d"],
  [533758, "4da778a25b72a9a0d53529eccfe2e5865a789116cb1800f470d8df685a8ab05d"],
  [1128303, "08c6b0b38095b348d80300f0be4c5184d2744a17147c2cba5cc4315abf4c048f"],
  [800374, "820284d2c8fd243429674c996d8eb8d3450cbc32421f43113e980f516282c7bf"],
  [2453512, "5fa870ed107c67704258e5e50abe67509fb73562caf77caa843b5f243425d853"],
  [2651975, "181347d2bbec32bef77ad5e9001e6af80f6abcf3576549384d334ee00c1988d8"],
  [237392, "fcd567f5d866357a8e299fd5b2359bb2c8157c30395229c4e9b0a353944a7978"],
];

const LENGTHS_WITH_19_BITS: readonly number[] = [
  1491586, 671874, 643703, 1284146, 823366, 810134, 567118, 821315, 1401057, 2311122, 608723,
  980456, 1140278, 2015542, 904752, 713072, 675937, 1525894, 1352720, 811884, 1282314, 1093738,
  962003, 856384, 533758, 1128303, 800374, 2453512, 665901, 1986074, 237392,
];

/** Reads a large file that is one byte array. */
function cutsByReading(chunker: Chunker, bytes: Uint8Array, pieceBytes = Infinity): number[] {
  return chunker.findCuts({
    read: (target, position) => {
      const piece = bytes.subarray(position, position + Math.min(target.length, pieceBytes));
      target.set(piece);
      return piece.length;
    },
    from: 0,
    to: bytes.length,
  });
}

function lengthsOf(cuts: readonly number[]): number[] {
  return cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0));
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("32 MiB of random bytes are cut where restic cuts them", () => {
  const cuts = cutsByReading(createChunker(POLYNOMIAL), random);
  const chunks = cuts.map((end, i) => random.subarray(cuts[i - 1] ?? 0, end));
  assert.deepEqual(
    chunks.map((chunk) => [chunk.length, hash(chunk)]),
    DEFAULT_CHUNKS,
  );
});

test("bytes in memory and bytes in the arena are cut alike", () => {
  const chunker = createChunker(POLYNOMIAL);
  const expected = DEFAULT_CHUNKS.map(([length]) => length);
  assert.deepEqual(chunker.cutsOf(random, true), expected);
  assert.deepEqual(chunker.cutsOf(random, false), expected.slice(0, -1));

  const lengths: number[] = [];
  for (let position = 0; position < random.length;) {
    const piece = random.subarray(position, position + chunker.input.length);
    chunker.input.set(piece);
    const length = chunker.nextCut(0, piece.length, position + piece.length === random.length);
    lengths.push(length);
    position += length;
  }
  assert.deepEqual(lengths, expected);
});

test("bytes that come in small pieces are cut alike", () => {
  const cuts = cutsByReading(createChunker(POLYNOMIAL), random, 4093);
  assert.deepEqual(
    lengthsOf(cuts),
    DEFAULT_CHUNKS.map(([length]) => length),
  );
});

test("restic's vectors with other averages and bounds", () => {
  const bits19 = createChunker(POLYNOMIAL, { ...SIZES, averageBits: 19 });
  assert.deepEqual(lengthsOf(cutsByReading(bits19, random)), LENGTHS_WITH_19_BITS);
  const large = { ...SIZES, minBytes: 16 * MiB, maxBytes: 32 * MiB };
  const lengths = lengthsOf(cutsByReading(createChunker(POLYNOMIAL, large), random));
  assert.deepEqual(lengths, [17864181, 15690251]);
});

test("zeros are cut at the smallest size", () => {
  const zeros = new Uint8Array(4 * SIZES.minBytes);
  const chunker = createChunker(POLYNOMIAL);
  assert.deepEqual(
    chunker.cutsOf(zeros, true),
    Array.from({ length: 4 }, () => SIZES.minBytes),
  );
  assert.equal(
    hash(zeros.subarray(0, SIZES.minBytes)),
    "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541",
  );
});
