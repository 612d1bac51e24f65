import type { Backend, Clock, FileType, ListedFile, RepositoryFile } from "@comeback/core";
import { expect, expectRefusal } from "./contract-breach.ts";

/** What a check works with: an empty store, and two clients of it. */
export interface CheckStage {
  readonly backend: Backend;
  readonly other: Backend;
  readonly clock: Clock;
  /**
   * A name that was not used before; for `config` there is only one. Servers may take a file only
   * under the SHA-256 of its content (rest-server does): a stage that is to pass there names it so.
   */
  newFile(type: FileType, data: Uint8Array): RepositoryFile;
  newData(sizeBytes: number): Uint8Array<ArrayBuffer>;
}

export const MiB: number = 1024 * 1024;

/** Types that have many files; `config` has one. */
export const NAMED_TYPES: readonly FileType[] = ["key", "lock", "snapshot", "index", "pack"];

/** The files in a list, each of which may be there only once. */
export async function listedFiles(
  backend: Backend,
  type: FileType,
): Promise<ReadonlyMap<string, number>> {
  const files: ListedFile[] = await Array.fromAsync(backend.list(type));
  const found = new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
  expect(found.size === files.length, `a list names a ${type} file twice`);
  return found;
}

/** Nothing of the file is to be seen. */
export async function expectAbsent(
  backend: Backend,
  file: RepositoryFile,
  what: string,
): Promise<void> {
  await expectRefusal(backend.stat(file), "backend.not-found", `looking up ${what}`);
  await expectRefusal(backend.load(file), "backend.not-found", `loading ${what}`);
  const listed = await listedFiles(backend, file.type);
  expect(!listed.has(file.name), `a list shows ${what}`);
}
