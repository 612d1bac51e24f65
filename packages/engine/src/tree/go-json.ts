import { isUtf8 } from "node:buffer";
import { type ByteString, bytesOf, isAscii } from "@comeback/core";
import { INVALID_RUNE, runeAt, runeLength } from "./utf8-runes.ts";

/**
 * JSON strings byte by byte as Go's encoding/json writes them (from Go 1.22 on, which restic 0.17
 * and later are built with): `<`, `>`, `&`, U+2028 and U+2029 escaped, `\b` and `\f` short, other
 * control characters as `\u00xx`, DEL and all other text as it is.
 */
const NEEDS_ESCAPE = /[\u0000-\u001f"\\<>&\u2028\u2029]/;
const NEEDS_ESCAPE_ALL = /[\u0000-\u001f"\\<>&\u2028\u2029]/g;

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function escapeCharacter(character: string): string {
  return (
    SHORT_ESCAPES.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  );
}

function escapeText(text: string): string {
  return NEEDS_ESCAPE.test(text) ? text.replace(NEEDS_ESCAPE_ALL, escapeCharacter) : text;
}

/** The inside of the JSON string for `text`, without the quotes around it. */
export function jsonInner(text: string): string {
  return escapeText(text.isWellFormed() ? text : text.toWellFormed());
}

/** The inside of the JSON string for raw bytes: each invalid byte is written as `\ufffd`. */
export function jsonInnerFromBytes(bytes: ByteString): string {
  if (isAscii(bytes)) return escapeText(bytes);
  const buffer = bytesOf(bytes);
  if (isUtf8(buffer)) return escapeText(buffer.toString("utf8"));
  let result = "";
  for (let i = 0; i < bytes.length;) {
    const rune = runeAt(bytes, i);
    if (rune === INVALID_RUNE) {
      result += "\\ufffd";
      i += 1;
    } else {
      result += escapeText(String.fromCodePoint(rune));
      i += runeLength(rune);
    }
  }
  return result;
}

/** Any JSON value, in Go's escaping. */
export function jsonValueText(value: unknown): string {
  // These characters occur inside of strings only, so escaping them afterwards is the same.
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeCharacter);
}
