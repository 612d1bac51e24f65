import { isUtf8 } from "node:buffer";
import type { ByteString } from "@comeback/core";
import { bytesOf } from "@comeback/core";

/**
 * What must not reach a terminal as it is: controls (they move cursors, set titles, answer as if
 * typed), invisible and direction-changing formats, line separators, unassigned and private code
 * points. Joiners stay: scripts and emoji need them, and they do nothing by themselves.
 */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const SAFE_ASCII = /^[\x20-\x7e]*$/;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) as number;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

/** Text of unknown origin, with everything visible that would otherwise drive the terminal. */
export function printableText(text: string): string {
  return SAFE_ASCII.test(text) ? text : text.replace(UNPRINTABLE, escapeCharacter);
}

/** A file name for a person: UTF-8 where it is valid, `\xff` for each byte that is not. */
export function printableName(name: ByteString): string {
  if (SAFE_ASCII.test(name)) return name;
  const bytes = bytesOf(name);
  if (isUtf8(bytes)) return printableText(bytes.toString("utf8"));
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] as number);
    const sequence = bytes.subarray(at, at + length);
    const valid = sequence.length === length && isUtf8(sequence);
    text += valid ? printableText(sequence.toString("utf8")) : escapeByte(bytes[at] as number);
    at += valid ? length : 1;
  }
  return text;
}

function escapeByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** How long the UTF-8 sequence is that begins with this byte. */
function sequenceLength(firstByte: number): number {
  if (firstByte >= 0xf0) return 4;
  if (firstByte >= 0xe0) return 3;
  return firstByte >= 0xc0 ? 2 : 1;
}
