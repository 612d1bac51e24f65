import type { Backend, OperationOptions, RepositoryFile } from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";

/**
 * Loads a file that is named by the SHA-256 of its content. One that does not match its name is read
 * once more, for only the reading may be bad: a network without TLS, or a machine's memory, can
 * change a bit. Whoever decodes it says what is wrong with what does not match the second time.
 */
export async function loadNamed(
  backend: Backend,
  file: RepositoryFile,
  options: OperationOptions,
): Promise<{ readonly data: Uint8Array; readonly isMatching: boolean }> {
  const isMatching = (data: Uint8Array): boolean => sha256(data).toString("hex") === file.name;
  const first = await backend.load(file, options);
  if (isMatching(first)) return { data: first, isMatching: true };
  const second = await backend.load(file, options);
  return { data: second, isMatching: isMatching(second) };
}
