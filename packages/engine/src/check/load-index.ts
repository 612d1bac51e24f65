import type { ListedFile, OperationOptions } from "@comeback/core";
import { CHECK_DETAILS_KEPT_MAX, isComebackError } from "@comeback/core";
import { addIndexFile } from "../index/add-index-file.ts";
import type { RepositoryIndex } from "../index/repository-index.ts";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { type ProblemLog, whyUnusable } from "./problem-log.ts";

const OPEN_BRACKET = 0x5b;

/**
 * Fills `index` from all index files. Damaged ones are reported; false where there was any, for
 * then everything that only they list would look as if it were lost.
 */
export async function loadIndexFiles(
  repository: Repository,
  index: RepositoryIndex,
  files: readonly ListedFile[],
  log: ProblemLog,
  options: OperationOptions,
): Promise<boolean> {
  const { backend } = repository;
  const listedIn = new Map<string, string>();
  const twice = new Set<string>();
  const old: string[] = [];
  const gone: string[] = [];
  let intact = true;
  const load = async ({ name }: { readonly name: string }): Promise<void> => {
    try {
      const json = await repository.loadUnpacked("index", name, options);
      if (json[0] === OPEN_BRACKET) old.push(name);
      for (const id of addIndexFile(index, json, "index").packs) {
        const other = listedIn.get(id);
        if (other === undefined) listedIn.set(id, name);
        else if (other !== name) twice.add(id);
      }
    } catch (error) {
      const why = await whyUnusable(error, backend, options);
      if (isComebackError(error, "backend.not-found") && !gone.includes(name)) {
        gone.push(name);
        return;
      }
      intact = false;
      log.addFile("index", { type: "index", name }, [why]);
    }
  };
  await eachConcurrently(files, backend.connections, load);
  if (gone.length > 0) {
    // A prune that runs beside us has replaced them: what they listed is in newer ones.
    const known = new Set(files.map(({ name }) => name).filter((name) => !gone.includes(name)));
    for await (const file of backend.list("index", options)) {
      if (!known.has(file.name)) await load(file);
    }
  }
  const first = (ids: Iterable<string>): string[] => [...ids].slice(0, CHECK_DETAILS_KEPT_MAX);
  log.hint(
    "pack-indexed-twice",
    `${twice.size} packs are listed in several index files; this is not critical`,
    first(twice),
    twice.size,
  );
  log.hint(
    "old-index-format",
    `${old.length} index files have the first format of all; newer restic wants them rewritten`,
    first(old),
    old.length,
  );
  return intact;
}
