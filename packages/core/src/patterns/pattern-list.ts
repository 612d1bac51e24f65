import type { ByteString } from "../byte-string.ts";
import { pathComponents } from "./clean-path.ts";
import { lowerCase } from "./lower-case.ts";
import type { NameMatcher } from "./name-match.ts";
import {
  matchesPart,
  matchesPattern,
  mayMatchBelow,
  parsePatterns,
  type Pattern,
  type PatternPart,
  STAR,
  withStars,
} from "./pattern.ts";

export type PatternListOptions = {
  /** What messages call the patterns' origin, such as `--exclude`. */
  readonly option: string;
  readonly ignoreCase?: boolean;
};

/**
 * Patterns in the order they were given: each adds what it matches, or with a "!" in front takes
 * it back. The semantics are restic's: `*.o` and `build/*.o` match in any folder, `/home/*` from
 * the root, `**` any number of folders, and what is below a match is matched.
 */
export class PatternList {
  readonly #patterns: readonly Pattern[];
  readonly #ignoreCase: boolean;
  readonly #hasNegation: boolean;
  /** Patterns of one component, which every folder has in common. */
  readonly #names = new Set<ByteString>();
  readonly #everywhere: NameMatcher[] = [];
  readonly #local: Pattern[] = [];

  constructor(texts: readonly ByteString[], options: PatternListOptions) {
    this.#ignoreCase = options.ignoreCase ?? false;
    this.#patterns = parsePatterns(this.#ignoreCase ? texts.map(lowerCase) : texts, options.option);
    this.#hasNegation = this.#patterns.some(({ isNegated }) => isNegated);
    for (const pattern of this.#patterns) {
      const [part] = pattern.parts;
      if (pattern.parts.length > 1 || part?.kind !== "name") this.#local.push(pattern);
      else if (part.isPlain) this.#names.add(part.text);
      else this.#everywhere.push(part.matches);
    }
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether the list matches a clean path (or a folder above it). */
  matches(path: ByteString): boolean {
    return this.#matches(this.#components(path));
  }

  /** The same, and whether anything below the path may match: which folders to enter. */
  matchesOrBelow(path: ByteString): { readonly matched: boolean; readonly below: boolean } {
    const components = this.#components(path);
    let below = false;
    for (const { parts, isNegated } of this.#patterns) {
      if (isNegated) below = below && !matchesPattern(parts, components);
      else below = below || mayMatchBelow(parts, components);
    }
    return { matched: this.#matches(components), below };
  }

  /**
   * The list for the entries of one folder that itself is not matched: what depends on the folder
   * is worked out once. `undefined` where no name can match.
   */
  inFolder(path: ByteString): NameMatcher | undefined {
    const folder = this.#components(path);
    const matches = this.#hasNegation ? this.#ordered(folder) : this.#unordered(folder);
    if (matches === undefined || !this.#ignoreCase) return matches;
    return (name) => matches(lowerCase(name));
  }

  #components(path: ByteString): ByteString[] {
    return pathComponents(this.#ignoreCase ? lowerCase(path) : path);
  }

  #matches(components: readonly ByteString[]): boolean {
    let matched = false;
    for (const { parts, isNegated } of this.#patterns) {
      // A pattern that could not change the result is not tried.
      if (matched === isNegated && matchesPattern(parts, components)) matched = !isNegated;
    }
    return matched;
  }

  #unordered(folder: readonly ByteString[]): NameMatcher | undefined {
    const names = this.#names;
    const matchers = [...this.#everywhere];
    for (const { parts } of this.#local) matchers.push(...lastPartMatchers(parts, folder));
    if (names.size === 0 && matchers.length === 0) return undefined;
    return (name) => {
      if (names.has(name)) return true;
      for (const matches of matchers) if (matches(name)) return true;
      return false;
    };
  }

  #ordered(folder: readonly ByteString[]): NameMatcher {
    const steps = this.#patterns.map(({ parts, isNegated }) => ({
      isNegated,
      matchers: matchesPattern(parts, folder) ? [ALWAYS] : lastPartMatchers(parts, folder),
    }));
    return (name) => {
      let matched = false;
      for (const { isNegated, matchers } of steps) {
        if (matched !== isNegated) continue;
        if (matchers.some((matches) => matches(name))) matched = !isNegated;
      }
      return matched;
    };
  }
}

const ALWAYS: NameMatcher = () => true;

/**
 * Matchers for the names in a folder, one of which matches exactly where the pattern matches up to
 * the name. (What matches further up matches the folder itself.)
 */
function lastPartMatchers(
  parts: readonly PatternPart[],
  folder: readonly ByteString[],
): NameMatcher[] {
  const wildcards = parts.filter(({ kind }) => kind === "any").length;
  if (wildcards > 1) {
    // How many components two of them may stand for depends on the whole path.
    return [(name) => matchesPattern(parts, [...folder, name])];
  }
  if (wildcards === 0) return lastPart(parts, folder);
  const wildcard = parts.findIndex(({ kind }) => kind === "any");
  const matchers = new Set<NameMatcher>();
  for (let count = 0; count <= folder.length - parts.length + 2; count++) {
    for (const matches of lastPart(withStars(parts, wildcard, count), folder)) {
      matchers.add(matches);
    }
  }
  return matchers.has(STAR.matches) ? [STAR.matches] : [...matchers];
}

/** The last part's matcher, where the parts before it are the end of the folder's path. */
function lastPart(parts: readonly PatternPart[], folder: readonly ByteString[]): NameMatcher[] {
  const last = parts.at(-1);
  if (last?.kind !== "name") return [];
  const offset = folder.length - (parts.length - 1);
  const isRooted = parts[0]?.kind === "root";
  if (isRooted ? offset !== 0 : offset < (folder[0] === "/" ? 1 : 0)) return [];
  for (let i = parts.length - 2; i >= 0; i--) {
    if (!matchesPart(parts[i]!, folder[offset + i]!)) return [];
  }
  return [last.matches];
}
