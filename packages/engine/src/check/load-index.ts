import type { ListedFile, OperationOptions } from "@comeback/core";
import { CHECK_DETAILS_KEPT_MAX } from "@comeback/core";
import { decodeIndexFile, type IndexedPack } from "../index/index-file.ts";
import type { RepositoryIndex } from "../index/repository-index.ts";
import { scanIndexFile } from "../index/scan-index-file.ts";
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
  let intact = true;
  await eachConcurrently(files, backend.connections, async ({ name }) => {
    try {
      const json = await repository.loadUnpacked("index", name, options);
      if (json[0] === OPEN_BRACKET) old.push(name);
      const scanned = scanIndexFile(json);
      const packs = scanned?.packs ?? decodeIndexFile(json, "index");
      for (const { id } of packs) {
        const other = listedIn.get(id);
        if (other === undefined) listedIn.set(id, name);
        else if (other !== name) twice.add(id);
      }
      if (scanned !== undefined) index.addScanned(scanned);
      else for (const pack of packs as IndexedPack[]) index.addPack(pack);
    } catch (error) {
      const why = await whyUnusable(error, backend, options);
      intact = false;
      log.addFile("index", { type: "index", name }, [why]);
    }
  });
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
