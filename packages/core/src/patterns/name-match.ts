import type { ByteString } from "../byte-string.ts";
import { RUNE_ERROR, runeAt } from "./rune.ts";

/** Tells whether one path component matches. */
export type NameMatcher = (name: ByteString) => boolean;

/** The pattern of a single component breaks the rules (an open bracket, a lone backslash). */
export class BadPattern extends Error {}

/**
 * Matches one path component: `*` any bytes, `?` one character, `[a-z]` and `[^a-z]` classes, `\`
 * takes the next character as it is. The same rules as Go's `filepath.Match`, which restic uses.
 * Throws `BadPattern` for a pattern that breaks them, whatever the name.
 */
export function matchName(pattern: ByteString, name: ByteString): boolean {
  let rest = pattern;
  let left = name;
  next: while (rest.length > 0) {
    const piece = firstPiece(rest);
    rest = piece.rest;
    if (piece.star && piece.chunk === "") return !left.includes("/");
    const end = matchChunk(piece.chunk, left);
    // The last piece has to reach the end of the name.
    if (end !== undefined && (end === left.length || rest.length > 0)) {
      left = left.slice(end);
      continue;
    }
    if (piece.star) {
      for (let i = 0; i < left.length && left.charCodeAt(i) !== SLASH; i++) {
        const from = left.slice(i + 1);
        const found = matchChunk(piece.chunk, from);
        if (found === undefined || (rest.length === 0 && found < from.length)) continue;
        left = from.slice(found);
        continue next;
      }
    }
    while (rest.length > 0) {
      const remaining = firstPiece(rest);
      rest = remaining.rest;
      matchChunk(remaining.chunk, "");
    }
    return false;
  }
  return left.length === 0;
}

const SLASH = 0x2f;

type Piece = { readonly star: boolean; readonly chunk: ByteString; readonly rest: ByteString };

/** Splits off leading stars and what follows them up to the next star. */
function firstPiece(pattern: ByteString): Piece {
  let start = 0;
  while (pattern[start] === "*") start++;
  let end = start;
  let inRange = false;
  scan: for (; end < pattern.length; end++) {
    switch (pattern[end]) {
      case "\\":
        if (end + 1 < pattern.length) end++;
        break;
      case "[":
        inRange = true;
        break;
      case "]":
        inRange = false;
        break;
      case "*":
        if (!inRange) break scan;
        break;
      default:
    }
  }
  return { star: start > 0, chunk: pattern.slice(start, end), rest: pattern.slice(end) };
}

/** Matches a chunk without stars at the start of `text`; gives how much of it, or `undefined`. */
function matchChunk(chunk: ByteString, text: ByteString): number | undefined {
  let at = 0;
  let place = 0;
  // A failed match goes on, to find mistakes in the rest of the pattern.
  let failed = false;
  while (place < chunk.length) {
    if (at >= text.length) failed = true;
    const symbol = chunk[place];
    if (symbol === "[") {
      const rune = failed ? { value: -1, length: 0 } : runeAt(text, at);
      at += rune.length;
      const set = matchClass(chunk, place + 1, rune.value);
      place = set.end;
      if (!set.matched) failed = true;
      continue;
    }
    if (symbol === "?") {
      if (!failed) {
        if (text.charCodeAt(at) === SLASH) failed = true;
        at += runeAt(text, at).length;
      }
      place++;
      continue;
    }
    if (symbol === "\\" && ++place >= chunk.length) throw new BadPattern();
    if (!failed) {
      if (chunk.charCodeAt(place) !== text.charCodeAt(at)) failed = true;
      at++;
    }
    place++;
  }
  return failed ? undefined : at;
}

function matchClass(
  chunk: ByteString,
  start: number,
  rune: number,
): { readonly matched: boolean; readonly end: number } {
  let place = start;
  const negated = chunk[place] === "^";
  if (negated) place++;
  let found = false;
  for (let ranges = 0; ; ranges++) {
    if (chunk[place] === "]" && ranges > 0) return { matched: found !== negated, end: place + 1 };
    const low = classCharacter(chunk, place);
    place = low.end;
    let high = low;
    if (chunk[place] === "-") {
      high = classCharacter(chunk, place + 1);
      place = high.end;
    }
    if (low.value <= rune && rune <= high.value) found = true;
  }
}

/** One character of a class. There is always something behind it: at least the bracket. */
function classCharacter(
  chunk: ByteString,
  start: number,
): { readonly value: number; readonly end: number } {
  let place = start;
  const symbol = chunk[place];
  if (symbol === undefined || symbol === "-" || symbol === "]") throw new BadPattern();
  if (symbol === "\\" && ++place >= chunk.length) throw new BadPattern();
  const { value, length } = runeAt(chunk, place);
  if (value === RUNE_ERROR && length === 1) throw new BadPattern();
  const end = place + length;
  if (end >= chunk.length) throw new BadPattern();
  return { value, end };
}

/** `startsWith` in a form that a JIT compiles into a few instructions; names are short. */
function isAt(name: ByteString, offset: number, part: ByteString): boolean {
  for (let i = 0; i < part.length; i++) {
    if (name.charCodeAt(offset + i) !== part.charCodeAt(i)) return false;
  }
  return true;
}

const META = /[\\[\]*?]/;

/** True where a pattern is no more than the name itself. */
export function isPlainName(pattern: ByteString): boolean {
  return !META.test(pattern);
}

/**
 * A matcher for one component. Most patterns have one of a few shapes, for which comparing is ten
 * times faster than interpreting. Throws `BadPattern`.
 */
export function compileName(pattern: ByteString): NameMatcher {
  if (isPlainName(pattern)) return (name) => name === pattern;
  const parts = pattern.split("*");
  if (parts.every(isPlainName)) {
    const [first = "", ...others] = parts;
    const last = others.pop() ?? "";
    const middle = others.filter((part) => part !== "");
    if (middle.length === 0) {
      const shortest = first.length + last.length;
      return (name) =>
        name.length >= shortest &&
        isAt(name, 0, first) &&
        isAt(name, name.length - last.length, last);
    }
    if (middle.length === 1 && first === "" && last === "") {
      return (name) => name.includes(middle[0]!);
    }
  }
  matchName(pattern, pattern);
  return (name) => matchName(pattern, name);
}
