import type { ByteString } from "../byte-string.ts";

/** What stands for a byte that is no part of valid UTF-8. */
export const RUNE_ERROR = 0xfffd;

export type Rune = { readonly value: number; readonly length: number };

/**
 * The UTF-8 character that begins at `offset`; an invalid byte is RUNE_ERROR of length 1. Patterns
 * count and compare characters, names are bytes.
 */
export function runeAt(text: ByteString, offset: number): Rune {
  const first = text.charCodeAt(offset);
  if (first < 0x80) return { value: first, length: 1 };
  const length = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
  if (length === 1 || offset + length > text.length) return { value: RUNE_ERROR, length: 1 };
  let value = first & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const next = text.charCodeAt(offset + i);
    if ((next & 0xc0) !== 0x80) return { value: RUNE_ERROR, length: 1 };
    value = (value << 6) | (next & 0x3f);
  }
  const isSurrogate = value >= 0xd800 && value <= 0xdfff;
  const isOverlong = (length === 3 && value < 0x800) || (length === 4 && value < 0x10000);
  if (isSurrogate || isOverlong || value > 0x10ffff) return { value: RUNE_ERROR, length: 1 };
  return { value, length };
}
