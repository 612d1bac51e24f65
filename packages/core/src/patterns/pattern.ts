import { type ByteString, displayText } from "../byte-string.ts";
import { ComebackError } from "../errors.ts";
import { cleanPath, pathComponents } from "./clean-path.ts";
import { BadPattern, compileName, isPlainName, type NameMatcher } from "./name-match.ts";

/** One component of a pattern: "/" for the root, `**` for any number of components, or a name. */
export type PatternPart =
  | { readonly kind: "root" }
  | { readonly kind: "any" }
  | {
      readonly kind: "name";
      readonly text: ByteString;
      /** Without any special character: it matches itself only. */
      readonly isPlain: boolean;
      readonly matches: NameMatcher;
    };

/** A pattern as `--exclude` and `--include` take it. */
export type Pattern = {
  readonly text: ByteString;
  readonly parts: readonly PatternPart[];
  /** Begins with "!": takes back what earlier patterns of its list matched. */
  readonly isNegated: boolean;
};

const ROOT: PatternPart = { kind: "root" };
const ANY: PatternPart = { kind: "any" };
/** What each component that `**` stands for is matched with. */
export const STAR: PatternPart & { readonly matches: NameMatcher } = {
  kind: "name",
  text: "*",
  isPlain: false,
  matches: () => true,
};

/** Parses one pattern; throws `BadPattern`. An empty one is `undefined`: it is ignored. */
export function parsePattern(text: ByteString): Pattern | undefined {
  if (text === "") return undefined;
  const isNegated = text.startsWith("!");
  const parts = pathComponents(cleanPath(isNegated ? text.slice(1) : text)).map(
    (part): PatternPart => {
      if (part === "**") return ANY;
      if (part === "/") return ROOT;
      return { kind: "name", text: part, isPlain: isPlainName(part), matches: compileName(part) };
    },
  );
  // restic reads a lone "/" as everything.
  if (parts.length === 1 && parts[0] === ROOT) parts.push(ANY);
  return { text, parts, isNegated };
}

/** Parses a list of patterns; `option` is what the message calls the culprit (`--exclude`). */
export function parsePatterns(texts: readonly ByteString[], option: string): Pattern[] {
  const patterns: Pattern[] = [];
  const bad: ByteString[] = [];
  for (const text of texts) {
    try {
      const pattern = parsePattern(text);
      if (pattern !== undefined) patterns.push(pattern);
    } catch (error) {
      if (!(error instanceof BadPattern)) throw error;
      bad.push(text);
    }
  }
  if (bad.length > 0) {
    throw new ComebackError("option.invalid", `${option}: not a valid pattern`, {
      why: bad.map((text) => JSON.stringify(displayText(text))).join(", "),
      next: "close every [ with a ], and put a \\ before a [, ], * or ? that is part of a name",
    });
  }
  return patterns;
}

/**
 * Whether a pattern matches a path or one of the folders above it. `**` stands for any number of
 * components, tried as so many `*`; a pattern that does not begin with "/" may match anywhere.
 */
export function matchesPattern(
  parts: readonly PatternPart[],
  path: readonly ByteString[],
): boolean {
  const wildcard = parts.findIndex((part) => part.kind === "any");
  if (wildcard >= 0) {
    const most = path.length - parts.length + 1;
    for (let count = 0; count <= most; count++) {
      if (matchesPattern(withStars(parts, wildcard, count), path)) return true;
    }
    return false;
  }
  if (parts.length === 0) return path.length === 0;
  let offset = path.length - parts.length;
  if (parts[0]?.kind === "root") offset = Math.min(offset, 0);
  // A pattern without a root never matches the root itself.
  const lowest = parts[0]?.kind !== "root" && path[0] === "/" ? 1 : 0;
  for (; offset >= lowest; offset--) if (matchesAt(parts, path, offset)) return true;
  return false;
}

/** The parts with the `**` at `wildcard` standing for `count` components. */
export function withStars(
  parts: readonly PatternPart[],
  wildcard: number,
  count: number,
): PatternPart[] {
  const stars = Array.from({ length: count }, () => STAR);
  return [...parts.slice(0, wildcard), ...stars, ...parts.slice(wildcard + 1)];
}

function matchesAt(
  parts: readonly PatternPart[],
  path: readonly ByteString[],
  offset: number,
): boolean {
  for (let i = parts.length - 1; i >= 0; i--) {
    if (!matchesPart(parts[i]!, path[offset + i]!)) return false;
  }
  return true;
}

/** Whether one component of a pattern, `**` aside, matches one component of a path. */
export function matchesPart(part: PatternPart, component: ByteString): boolean {
  if (part.kind === "name") return part.matches(component);
  return part.kind === "root" && component === "/";
}

/** Whether something below `path` could match. */
export function mayMatchBelow(parts: readonly PatternPart[], path: readonly ByteString[]): boolean {
  if (parts[0]?.kind !== "root") return true;
  const wildcard = parts.findIndex((part) => part.kind === "any");
  const known = wildcard >= 0 && path.length >= wildcard ? path.slice(0, wildcard) : path;
  return matchesPattern(parts.slice(0, Math.min(known.length, parts.length)), known);
}
