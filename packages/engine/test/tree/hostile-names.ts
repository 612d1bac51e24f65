import type { ByteString } from "@comeback/core";

/** A small generator of numbers that repeats itself: the same seed, the same names. */
export function seededNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

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

function randomName(below: (limit: number) => number, pieces: readonly ByteString[]): ByteString {
  let name = "";
  for (let count = 1 + below(24); count > 0; count--) {
    const piece = pieces[below(pieces.length)]!;
    if (name.length + piece.length <= 240) name += piece;
  }
  return name;
}

/** Distinct names that a Linux file system accepts; invalid UTF-8 among them if asked for. */
export function hostileNames(seed: number, count: number, invalidUtf8: boolean): ByteString[] {
  const below = seededNumbers(seed);
  const pieces = invalidUtf8 ? [...PIECES, ...BROKEN, ...BROKEN] : PIECES;
  const names = new Set<ByteString>(pieces);
  while (names.size < count) names.add(randomName(below, pieces));
  names.delete("..");
  names.delete(".");
  return [...names];
}
