import type { ByteString } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";

const utf8 = (text: string): ByteString => Buffer.from(text, "utf8").toString("latin1");

const characters = (text: string): string[] => Array.from(text);

/** Pieces that some rule of quoting, escaping or decoding treats in its own way. */
const PIECES: readonly ByteString[] = [
  ...Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)),
  ...characters(" !\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~\u007f"),
  ...characters("abcXYZ019"),
  "\\n",
  "\\x",
  "\\u00",
  "\\U",
  "\\\\",
  "&lt;",
  "\\ufffd",
  // Latin-1, NBSP, soft hyphen, combining marks, zero width, bidi marks, separators, BOM.
  ...characters(
    "éß\u0080\u00a0\u00adÿ\u0301\u034f\u061c\u180e\u200b\u200d\u200e\u200f\u202e\u2028\u2029\u2060\ufeff",
  ),
  // Private use, non-characters, replacement character, unassigned, plane 1 and above.
  ...characters(
    "\ue000\uf8ff\ufdd0\ufffe\uffff\ufffd\u0378😀👨‍👩‍👧🇦🇹\u{1d173}\u{1fffe}\u{e0001}\u{e0100}\u{f0000}\u{10ffff}",
  ),
  ...characters("漢字ไทยहिन्दीعربى"),
].map((piece) => (/^[\u0000-\u007f]*$/.test(piece) ? piece : utf8(piece)));

/** Bytes that are no UTF-8: lone, overlong, surrogate, cut off, beyond the last code point. */
const BROKEN: readonly ByteString[] = (
  "\x80 \xbf \xc0\xaf \xc1\xbf \xe0\x80\x80 \xed\xa0\x80 \xed\xbf\xbf \xf0\x80\x80\x80 " +
  "\xf4\x90\x80\x80 \xf5 \xff \xfe \xe2\x82 \xf0\x9f\x98"
).split(" ");

function randomName(random: SeededRandom, pieces: readonly ByteString[]): ByteString {
  let name = "";
  for (let count = random.integer(1, 24); count > 0; count--) {
    const piece = random.pick(pieces);
    if (name.length + piece.length <= 240) name += piece;
  }
  return name;
}

/** Distinct names that a Linux file system accepts. */
export function hostileNames(seed: number, count: number): ByteString[] {
  const random = new SeededRandom(seed);
  const pieces = [...PIECES, ...BROKEN, ...BROKEN];
  const names = new Set<ByteString>(pieces);
  while (names.size < count) names.add(randomName(random, pieces));
  names.delete("..");
  names.delete(".");
  return [...names];
}
