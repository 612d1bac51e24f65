import type { ByteString } from "@comeback/core";

/** What `runeAt` gives for a byte that begins no valid UTF-8 sequence. */
export const INVALID_RUNE = -1;

function continuation(bytes: ByteString, index: number): number {
  const byte = index < bytes.length ? bytes.charCodeAt(index) : 0;
  return (byte & 0xc0) === 0x80 ? byte & 0x3f : -1;
}

/**
 * The code point that begins at `index` of raw bytes, by Go's rules: shortest form only, no
 * surrogates, nothing beyond U+10FFFF. Whatever else is one invalid byte.
 */
export function runeAt(bytes: ByteString, index: number): number {
  const first = bytes.charCodeAt(index);
  if (first < 0x80) return first;
  if (first < 0xc2 || first > 0xf4) return INVALID_RUNE;
  const second = continuation(bytes, index + 1);
  if (second < 0) return INVALID_RUNE;
  if (first < 0xe0) return ((first & 0x1f) << 6) | second;
  const third = continuation(bytes, index + 2);
  if (third < 0) return INVALID_RUNE;
  if (first < 0xf0) {
    const rune = ((first & 0x0f) << 12) | (second << 6) | third;
    return rune < 0x800 || (rune >= 0xd800 && rune < 0xe000) ? INVALID_RUNE : rune;
  }
  const fourth = continuation(bytes, index + 3);
  if (fourth < 0) return INVALID_RUNE;
  const rune = ((first & 0x07) << 18) | (second << 12) | (third << 6) | fourth;
  return rune < 0x10000 || rune > 0x10ffff ? INVALID_RUNE : rune;
}

/** Bytes that a valid code point takes in UTF-8. */
export function runeLength(rune: number): number {
  if (rune < 0x80) return 1;
  if (rune < 0x800) return 2;
  return rune < 0x10000 ? 3 : 4;
}
