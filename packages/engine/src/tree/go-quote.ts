import { type ByteString, byteStringFromText } from "@comeback/core";
import { isGoPrintable } from "./go-printable.ts";
import { INVALID_RUNE, runeAt, runeLength } from "./utf8-runes.ts";

/**
 * Names in trees are quoted as Go's `strconv.Quote` does, without the quotes around them, and
 * then stored as a JSON string. That is how bytes that are no UTF-8 survive.
 */
const PLAIN = /^[ !#-[\]-~]*$/;

const LETTER_OF: ReadonlyMap<number, string> = new Map([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

const BYTE_OF_LETTER: ReadonlyMap<string, string> = new Map(
  Array.from(LETTER_OF, ([byte, text]) => [text.charAt(1), String.fromCharCode(byte)]),
);

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function quoteRune(rune: number): string {
  const letter = LETTER_OF.get(rune);
  if (letter !== undefined) return letter;
  if (isGoPrintable(rune)) return String.fromCodePoint(rune);
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

/** `strconv.Quote` of raw bytes, without the quotes around the result. */
export function goQuote(name: ByteString): string {
  if (PLAIN.test(name)) return name;
  let result = "";
  for (let i = 0; i < name.length;) {
    const rune = runeAt(name, i);
    if (rune === INVALID_RUNE) {
      result += `\\x${hex(name.charCodeAt(i), 2)}`;
      i += 1;
    } else {
      result += quoteRune(rune);
      i += runeLength(rune);
    }
  }
  return result;
}

const ESCAPE_OR_TEXT =
  /([^\\"\n]+)|\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/uy;

/** The raw bytes of a quoted name; undefined where `strconv.Unquote` would refuse it. */
export function goUnquote(quoted: string): ByteString | undefined {
  if (PLAIN.test(quoted)) return quoted;
  const text = quoted.toWellFormed();
  let result = "";
  ESCAPE_OR_TEXT.lastIndex = 0;
  for (let end = 0; end < text.length; end = ESCAPE_OR_TEXT.lastIndex) {
    const match = ESCAPE_OR_TEXT.exec(text);
    if (match === null) return undefined;
    const [, plain, letter, byte, short, long, octal] = match;
    if (plain !== undefined) result += byteStringFromText(plain);
    else if (letter !== undefined) result += BYTE_OF_LETTER.get(letter) ?? "";
    else if (byte !== undefined) result += String.fromCharCode(Number.parseInt(byte, 16));
    else if (octal !== undefined) result += String.fromCharCode(Number.parseInt(octal, 8));
    else {
      const rune = Number.parseInt(short ?? long ?? "", 16);
      if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return undefined;
      result += byteStringFromText(String.fromCodePoint(rune));
    }
  }
  return result;
}
