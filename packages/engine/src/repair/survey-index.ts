import { createHash } from "node:crypto";
import { isComebackError, type OperationOptions } from "@comeback/core";
import { whyUnusable } from "../check/problem-log.ts";
import { decodeIndexFile, type IndexedPack } from "../index/index-file.ts";
import { packHeaderBytes } from "../pack/header.ts";
import type { Repository } from "../repository/repository.ts";
import type { RepairProgress } from "./repair-progress.ts";

const OPEN_BRACKET = 0x5b;

/** A file that cannot be used, and why not. */
export interface DamagedFile {
  readonly name: string;
  readonly why: string;
}

/** What index files say of one pack. */
export interface PackListing {
  /** What the pack's size must be; -1 where two files list it differently. */
  sizeBytes: number;
  fingerprint: string;
}

/** An index file that can be read: which packs it lists, in use and waiting to be deleted. */
export interface SurveyedFile {
  readonly name: string;
  readonly isOldFormat: boolean;
  readonly packs: readonly string[];
  readonly marked: readonly string[];
}

/** What there is of index files. Memory grows with the packs, not with the blobs. */
export interface IndexSurvey {
  readonly files: readonly SurveyedFile[];
  readonly damaged: readonly DamagedFile[];
  readonly packs: ReadonlyMap<string, PackListing>;
}

export async function surveyIndex(
  repository: Repository,
  progress: RepairProgress,
  options: OperationOptions,
): Promise<IndexSurvey> {
  const names: string[] = [];
  for await (const { name } of repository.backend.list("index", options)) names.push(name);
  progress.total = names.length;
  const files: SurveyedFile[] = [];
  const damaged: DamagedFile[] = [];
  const packs = new Map<string, PackListing>();
  // One at a time: each is some megabytes of objects.
  for (const name of names.sort()) {
    try {
      const { listed, isOldFormat } = await loadIndexFile(repository, name, options);
      for (const pack of listed) if (pack.mark === undefined) note(packs, pack);
      const ids = (marked: boolean): string[] =>
        listed.filter(({ mark }) => (mark !== undefined) === marked).map(({ id }) => id);
      files.push({ name, isOldFormat, packs: ids(false), marked: ids(true) });
    } catch (error) {
      if (!isComebackError(error, "backend.not-found")) {
        damaged.push({ name, why: await whyDamaged(error, repository, options) });
      }
    }
    progress.done++;
  }
  return { files, damaged, packs };
}

/** What is refused to us is not damaged, and must not be replaced. */
async function whyDamaged(
  error: unknown,
  { backend }: Repository,
  options: OperationOptions,
): Promise<string> {
  if (isComebackError(error, "backend.permission")) throw error;
  return whyUnusable(error, backend, options);
}

export async function loadIndexFile(
  repository: Repository,
  name: string,
  options: OperationOptions,
): Promise<{ listed: IndexedPack[]; isOldFormat: boolean }> {
  const json = await repository.loadUnpacked("index", name, options);
  const isOldFormat = json[0] === OPEN_BRACKET;
  return { listed: decodeIndexFile(json, `index ${name.slice(0, 8)}`), isOldFormat };
}

function note(packs: Map<string, PackListing>, { id, blobs }: IndexedPack): void {
  const sizeBytes = blobs.reduce((sum, { length }) => sum + length, packHeaderBytes(blobs));
  const hash = createHash("sha256");
  for (const blob of blobs.toSorted((a, b) => a.offset - b.offset)) {
    hash.update(`${blob.id}${blob.type}${blob.offset} ${blob.length} ${blob.uncompressedLength};`);
  }
  const fingerprint = hash.digest("base64");
  const known = packs.get(id);
  if (known === undefined) packs.set(id, { sizeBytes, fingerprint });
  else if (known.fingerprint !== fingerprint) known.sizeBytes = -1;
}
