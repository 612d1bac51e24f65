import assert from "node:assert/strict";
import type { CheckStage } from "@comeback/backend-layers/probe";
import { ComebackError } from "@comeback/core";
import type { Backend, ErrorCode, FileType, ListedFile, RepositoryFile } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { SeededRandom } from "../seeded-random.ts";

/** An empty store and clients of it, made for one test and disposed after it. */
export interface BackendFixture extends AsyncDisposable {
  readonly backend: Backend;
  /** Opens a second client of the same store. */
  another(): Promise<Backend>;
  /** Puts something that is not a repository's file beside those of this type, if one can. */
  plantForeignFile?(type: FileType): Promise<void>;
}

export type MakeBackend = () => Promise<BackendFixture>;

export const MiB: number = 1024 * 1024;

/** Types that have many files; `config` has one, and its own tests. */
export const NAMED_TYPES: readonly FileType[] = ["key", "lock", "snapshot", "index", "pack"];

export const CONFIG: RepositoryFile = { type: "config", name: "" };

const names = new SeededRandom(1);

export function newFile(type: FileType = "pack"): RepositoryFile {
  if (type === "config") return CONFIG;
  return { type, name: names.hex(32) };
}

export function newData(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return names.bytes(sizeBytes);
}

/** Runs a check that `comeback backend test` runs on real storage as well, with two clients. */
export async function onStage<T>(
  make: MakeBackend,
  check: (stage: CheckStage) => Promise<T>,
): Promise<T> {
  await using fixture = await make();
  await using other = await fixture.another();
  return await check({ backend: fixture.backend, other, clock: systemClock, newFile, newData });
}

/** Compares without printing megabytes where it fails. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.equal(actual.byteLength, expected.byteLength, `size of ${what}`);
  assert.equal(Buffer.compare(actual, expected), 0, `bytes of ${what}`);
}

export async function rejectsWith(call: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof ComebackError, `not a ComebackError: ${String(error)}`);
    assert.equal(error.code, code);
    assert.notEqual(error.message, "");
    return true;
  });
}

export async function listAll(
  backend: Backend,
  type: FileType,
  signal?: AbortSignal,
): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for await (const file of backend.list(type, { signal })) files.push(file);
  return files;
}

/** The names in a list, which must hold each only once. */
export async function listedNames(backend: Backend, type: FileType): Promise<Set<string>> {
  const files = await listAll(backend, type);
  const found = new Set(files.map(({ name }) => name));
  assert.equal(found.size, files.length, `a ${type} file is listed twice`);
  return found;
}
