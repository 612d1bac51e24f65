import { hash } from "node:crypto";
import {
  COMPARE_SLICE_BYTES,
  isComebackError,
  type Backend,
  type OperationOptions,
  type RepositoryFile,
} from "@comeback/core";

/**
 * What lies under a name compared with what was to be stored there. `torn` is something else under
 * a name that only this content can have; `other` is somebody else's file.
 */
export type StoredState = "absent" | "other" | "same" | "torn";

/** Reads a piece at a time: a pack need not fit into memory once more. */
export async function compareStored(
  backend: Backend,
  file: RepositoryFile,
  data: Uint8Array,
  { signal }: OperationOptions = {},
): Promise<StoredState> {
  try {
    const { sizeBytes } = await backend.stat(file, { signal });
    if (sizeBytes === data.byteLength && (await isSame(backend, file, data, { signal }))) {
      return "same";
    }
    return isNamedAfter(file, data) ? "torn" : "other";
  } catch (error) {
    if (isComebackError(error, "backend.not-found")) return "absent";
    throw error;
  }
}

async function isSame(
  backend: Backend,
  file: RepositoryFile,
  data: Uint8Array,
  { signal }: OperationOptions,
): Promise<boolean> {
  for (let offset = 0; offset < data.byteLength; offset += COMPARE_SLICE_BYTES) {
    const wanted = data.subarray(offset, offset + COMPARE_SLICE_BYTES);
    try {
      const stored = await backend.load(file, { offset, length: wanted.byteLength, signal });
      if (Buffer.compare(stored, wanted) !== 0) return false;
    } catch (error) {
      // It cannot be read before a thaw: stores that have such classes store whole or not at all.
      if (isComebackError(error, "backend.archived")) return true;
      throw error;
    }
  }
  return true;
}

/** Every file but the config is named by the SHA-256 of its content. */
export function isNamedAfter(file: RepositoryFile, data: Uint8Array): boolean {
  return file.type !== "config" && hash("sha256", data, "hex") === file.name;
}
