import {
  type Backend,
  ComebackError,
  damaged,
  ExitCode,
  KEYS_TRIED_MAX,
  type OperationOptions,
  type Random,
} from "@comeback/core";
import { openKeyFile, parseKeyFile } from "../crypto/key-file.ts";
import type { MasterKey } from "../crypto/master-key.ts";
import { loadNamed } from "./load-named.ts";

interface KeySearch extends OperationOptions {
  readonly backend: Backend;
  readonly password: string;
  readonly random: Random;
}

/** Tries the key files, one after the other, until the password opens one. */
export async function findKey(options: KeySearch): Promise<{ key: MasterKey; keyId: string }> {
  const { backend, password, random } = options;
  if (password === "") throw emptyPassword();
  let tried = 0;
  let failure: unknown;
  for await (const { name } of backend.list("key", options)) {
    if (tried++ === KEYS_TRIED_MAX) break;
    try {
      const { data } = await loadNamed(backend, { type: "key", name }, options);
      const key = await openKeyFile(parseKeyFile(data, name), password, random);
      if (key !== undefined) return { key, keyId: name };
    } catch (error) {
      if (options.signal?.aborted) throw error;
      // Another key may still open the repository.
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  if (tried === 0) {
    throw damaged(
      `the repository at ${backend.location}`,
      "it has a config but not a single key",
      undefined,
      "bring the folder keys back from a copy of the repository: without a key nothing can be read",
    );
  }
  throw new ComebackError("key.wrong-password", "the password does not open this repository", {
    why: `none of its ${tried === 1 ? "keys (there is one)" : `${tried} keys`} fits`,
    next: "check --password-file, --password-command or COMEBACK_PASSWORD",
    exitCode: ExitCode.wrongPassword,
  });
}

export function emptyPassword(): ComebackError {
  return new ComebackError("option.invalid", "an empty password is not allowed", {
    next: "set COMEBACK_PASSWORD, or use --password-file or --password-command",
  });
}
