import {
  type ByteString,
  type Environment,
  type NameMatcher,
  PatternList,
  patternsOfFile,
} from "@comeback/core";
import { readList } from "./target-lists.ts";
import { baseName, parentPath } from "./working-folder.ts";

export type PathRuleOptions = {
  /** Patterns of what to leave out (see core's `PatternList`). */
  readonly exclude?: readonly ByteString[] | undefined;
  /** The same, upper and lower case being equal. */
  readonly iexclude?: readonly ByteString[] | undefined;
  /** Files of such patterns, one a line, with comments and environment variables. */
  readonly excludeFiles?: readonly string[] | undefined;
  readonly iexcludeFiles?: readonly string[] | undefined;
  /** Absolute paths that are left out with everything below, whatever the patterns say. */
  readonly excludedFolders?: readonly ByteString[] | undefined;
};

/** The rules that need no more than an entry's absolute path. */
export class PathRules {
  readonly #lists: readonly PatternList[];
  readonly #excludedFolders: readonly ByteString[];

  constructor(options: PathRuleOptions, environment: Environment) {
    const fromFiles = (files: readonly string[] | undefined, option: string): ByteString[] =>
      (files ?? []).flatMap((file) => patternsOfFile(readList(file, option), environment));
    // Each list is one of its own: a "!" takes back what its own list matched.
    const lists = [
      new PatternList(
        [...(options.iexclude ?? []), ...fromFiles(options.iexcludeFiles, "--iexclude-file")],
        { option: "--iexclude", ignoreCase: true },
      ),
      new PatternList(
        [...(options.exclude ?? []), ...fromFiles(options.excludeFiles, "--exclude-file")],
        { option: "--exclude" },
      ),
    ];
    this.#lists = lists.filter((list) => !list.isEmpty);
    this.#excludedFolders = options.excludedFolders ?? [];
  }

  excludes(path: ByteString): boolean {
    for (const list of this.#lists) if (list.matches(path)) return true;
    return this.#excludedFolders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  }

  /** The same for the names in a folder that is not excluded; `undefined`: nothing is. */
  inFolder(path: ByteString): NameMatcher | undefined {
    const matchers: NameMatcher[] = [];
    for (const list of this.#lists) {
      const matches = list.inFolder(path);
      if (matches !== undefined) matchers.push(matches);
    }
    for (const folder of this.#excludedFolders) {
      const name = baseName(folder);
      if (parentPath(folder) === path) matchers.push((other) => other === name);
    }
    if (matchers.length <= 1) return matchers[0];
    return (name) => matchers.some((matches) => matches(name));
  }
}
