import assert from "node:assert/strict";
import { displayText, isComebackError, type Source } from "@comeback/core";
import { createFilesSource, type FilesSourceOptions } from "@comeback/source-files";
import { ResticBackup } from "./restic-backup.ts";
import { type SourceTree, treeOfSource } from "./tree-of-source.ts";

/** The options in restic's words. */
function resticArguments(options: FilesSourceOptions): string[] {
  const each = (flag: string, values: readonly string[] | undefined): string[] =>
    (values ?? []).flatMap((value) => [flag, displayText(value)]);
  return [
    ...each("--exclude", options.exclude),
    ...each("--iexclude", options.iexclude),
    ...each("--exclude-file", options.excludeFiles),
    ...each("--iexclude-file", options.iexcludeFiles),
    ...each("--exclude-if-present", options.excludeIfPresent),
    ...each("--files-from", options.filesFrom),
    ...each("--files-from-verbatim", options.filesFromVerbatim),
    ...each("--files-from-raw", options.filesFromRaw),
    ...(options.excludeCaches === true ? ["--exclude-caches"] : []),
    ...(options.oneFileSystem === true ? ["--one-file-system"] : []),
    ...(options.excludeLargerThanBytes === undefined
      ? []
      : ["--exclude-larger-than", String(options.excludeLargerThanBytes)]),
    "--",
    ...(options.targets ?? []).map(displayText),
  ];
}

/** Others on this machine may touch the folders above ours between the two backups. */
const ATTEMPTS = 5;

/** Backs up with restic and with the files source, and compares. */
export class SameBackup {
  readonly #repository: ResticBackup;

  private constructor(repository: ResticBackup) {
    this.#repository = repository;
  }

  static async create(folder: string): Promise<SameBackup> {
    return new SameBackup(await ResticBackup.create(folder));
  }

  /**
   * The trees have to be the same to the last byte. Gives the paths in them; none where both tools
   * refuse.
   */
  async backUp(
    cwd: string,
    options: FilesSourceOptions,
    title: string,
  ): Promise<readonly string[]> {
    for (let attempt = 1; ; attempt++) {
      const theirs = this.#repository.backUp(resticArguments(options), { cwd });
      const ours = await ourTree(cwd, options, title);
      if (ours === undefined) {
        assert.equal(theirs.snapshot, undefined, `${title}: only we refused`);
        return [];
      }
      // restic gives up, or panics, where the way to a target leads through a file or in circles.
      if (/path is not a directory|: not a directory"|^panic: /m.test(theirs.stderr)) {
        return ours.paths;
      }
      assert.ok(theirs.snapshot, `${title}: only restic refused: ${theirs.stderr}`);
      assert.deepEqual(ours.source.paths, theirs.snapshot.paths, title);
      assert.deepEqual(ours.source.excludes, theirs.snapshot.excludes ?? [], title);
      if (ours.id === theirs.snapshot.tree) return ours.paths;
      assert.deepEqual(ours.paths, this.#repository.list(theirs.snapshot), title);
      assert.notEqual(attempt, ATTEMPTS, `${title}: the same paths, but other trees`);
    }
  }
}

/** `undefined` where the options are refused, or leave nothing. */
async function ourTree(
  cwd: string,
  options: FilesSourceOptions,
  title: string,
): Promise<(SourceTree & { source: Source }) | undefined> {
  process.chdir(cwd);
  try {
    const source = createFilesSource({ ...options, environment: { ...process.env, PWD: cwd } });
    return { ...(await treeOfSource(source)), source };
  } catch (error) {
    assert.ok(isComebackError(error), `${title}: ${String(error)}`);
    return undefined;
  }
}
