import { byteStringFromText, type ByteString, isAscii } from "../byte-string.ts";
import { runeAt } from "./rune.ts";

/**
 * Lower case as restic makes it for `--iexclude`: character by character, so that no character's
 * case depends on its neighbours, and invalid bytes become U+FFFD.
 */
export function lowerCase(text: ByteString): ByteString {
  if (isAscii(text)) return text.toLowerCase();
  let lower = "";
  for (let offset = 0; offset < text.length;) {
    const { value, length } = runeAt(text, offset);
    // Where the lower case is a sequence (U+0130), its first character is the simple mapping.
    const mapped = String.fromCodePoint(value).toLowerCase().codePointAt(0) ?? value;
    lower += String.fromCodePoint(mapped);
    offset += length;
  }
  return byteStringFromText(lower);
}
