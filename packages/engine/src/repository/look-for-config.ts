import {
  type Backend,
  ComebackError,
  ExitCode,
  isComebackError,
  type OperationOptions,
} from "@comeback/core";
import type { BoxCipher } from "../crypto/box.ts";

const CONFIG = { type: "config", name: "" } as const;

/** Whether there is a repository: its config is what makes it one. */
export async function hasConfig(backend: Backend, options: OperationOptions): Promise<boolean> {
  try {
    await backend.stat(CONFIG, options);
    return true;
  } catch (error) {
    if (isComebackError(error, "backend.not-found")) return false;
    throw error;
  }
}

/** The config as it is stored, or `repository.none`. */
export async function loadConfig(
  backend: Backend,
  { signal }: OperationOptions,
): Promise<Uint8Array> {
  try {
    return await backend.load(CONFIG, { signal });
  } catch (cause) {
    if (!isComebackError(cause, "backend.not-found")) throw cause;
    throw new ComebackError("repository.none", `there is no repository at ${backend.location}`, {
      next: "check the address, or make one with `comeback init`",
      exitCode: ExitCode.noRepository,
      cause,
    });
  }
}

/**
 * The config as it is stored, read once more where its authentication code does not hold: only the
 * reading may be bad, as with every other file. Whoever decodes it says what is wrong with a second
 * one. `first` is a reading that was made before the key was known.
 */
export async function loadSealedConfig(
  backend: Backend,
  cipher: BoxCipher,
  options: OperationOptions,
  first?: Uint8Array,
): Promise<Uint8Array> {
  const stored = first ?? (await loadConfig(backend, options));
  return cipher.open(stored) === undefined ? await loadConfig(backend, options) : stored;
}

/** A repository that has lost its config must not be buried under a new one. */
export async function refuseOtherData(backend: Backend, options: OperationOptions): Promise<void> {
  for (const type of ["snapshot", "index"] as const) {
    for await (const _file of backend.list(type, options)) {
      throw new ComebackError("repository.no-config", `${backend.location} is not empty`, {
        why: `it holds ${type} files of a repository that has lost its config file`,
        next: "bring the file config back from a copy of it, or choose another place",
      });
    }
  }
}
