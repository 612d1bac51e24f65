import { hostname as systemHostname, userInfo } from "node:os";
import type { OperationOptions } from "@comeback/core";
import { ComebackError, isComebackError, KEYS_TRIED_MAX } from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";
import { BoxCipher } from "../crypto/box.ts";
import {
  createKeyFile,
  type KeyFile,
  openKeyFile,
  parseKeyFile,
  type ScryptCost,
} from "../crypto/key-file.ts";
import { formatTime } from "../tree/time-text.ts";
import { decodeConfig } from "./config.ts";
import { instantOfMilliseconds } from "./instant.ts";
import { loadNamed } from "./load-named.ts";
import { loadSealedConfig } from "./look-for-config.ts";
import type { Repository } from "./repository.ts";

/** What can be told of a key without its password. */
export interface KeyInfo {
  readonly id: string;
  /** The key that opened the repository. */
  readonly isCurrent: boolean;
  readonly username: string;
  readonly hostname: string;
  /** RFC 3339. */
  readonly created: string;
}

export interface KeyList {
  /** Oldest first. */
  readonly keys: readonly KeyInfo[];
  /** Key files that are damaged, or that a newer program wrote. */
  readonly unusable: readonly { readonly id: string; readonly error: ComebackError }[];
}

export interface NewKeyOptions extends OperationOptions {
  readonly password: string;
  /** Default: this process's. */
  readonly username?: string;
  readonly hostname?: string;
  readonly scryptCost?: ScryptCost;
}

export async function listKeys(
  repository: Repository,
  { signal }: OperationOptions = {},
): Promise<KeyList> {
  const keys: KeyInfo[] = [];
  const unusable: { id: string; error: ComebackError }[] = [];
  for (const id of await keyIds(repository, { signal })) {
    try {
      const { username, hostname, created } = await loadKey(repository, id, { signal });
      keys.push({ id, isCurrent: id === repository.keyId, username, hostname, created });
    } catch (error) {
      if (signal?.aborted || !isComebackError(error)) throw error;
      unusable.push({ id, error });
    }
  }
  keys.sort((a, b) => Date.parse(a.created) - Date.parse(b.created) || (a.id < b.id ? -1 : 1));
  return { keys, unusable };
}

/** A further password for the repository. Resolves to the id of its key, which is proven to work. */
export async function addKey(repository: Repository, options: NewKeyOptions): Promise<string> {
  const { signal } = options;
  if ((await keyIds(repository, { signal })).length >= KEYS_TRIED_MAX) {
    throw new ComebackError("key.too-many", `the repository has ${KEYS_TRIED_MAX} keys already`, {
      why: "no program tries more, so that a further password might not open it",
      next: "remove a key that nobody uses with `comeback key remove`",
    });
  }
  return saveProvenKey(repository, options);
}

/**
 * Takes a password away. Hold an exclusive lock: two who each remove the other's key at the same
 * moment would leave none.
 */
export async function removeKey(
  repository: Repository,
  idStart: string,
  { signal }: OperationOptions = {},
): Promise<string> {
  const ids = await keyIds(repository, { signal });
  const id = findKeyId(ids, idStart);
  if (id === repository.keyId) {
    throw new ComebackError("key.in-use", `key ${id.slice(0, 8)} has opened the repository now`, {
      why: ids.length === 1 ? "it is the only one; without it nothing can be read" : "it is in use",
      next:
        ids.length === 1
          ? "add another key first, and open the repository with that one"
          : "give the password of another key, or change this one's with `comeback key passwd`",
    });
  }
  await assertOwnKey(repository, { signal });
  await repository.backend.remove({ type: "key", name: id }, { signal });
  return id;
}

/**
 * A new password in place of the one that opened the repository. The old key goes only after the
 * new one is stored and has opened the repository: after a crash in between both do. Hold an
 * exclusive lock, as for `removeKey`.
 */
export async function changePassword(
  repository: Repository,
  options: NewKeyOptions,
): Promise<{ readonly added: string; readonly removed: string }> {
  const { signal } = options;
  const added = await saveProvenKey(repository, options);
  const removed = repository.keyId;
  await repository.backend.remove({ type: "key", name: removed }, { signal });
  return { added, removed };
}

async function saveProvenKey(repository: Repository, options: NewKeyOptions): Promise<string> {
  const { password, signal, scryptCost } = options;
  const { backend, key, clock, random } = repository;
  if (password === "") {
    throw new ComebackError("option.invalid", "an empty password is not allowed", {
      next: "choose one that is not empty",
    });
  }
  const owner = {
    username: options.username ?? userInfo().username,
    hostname: options.hostname ?? systemHostname(),
    created: formatTime(instantOfMilliseconds(clock.now())),
  };
  const bytes = await createKeyFile(key, password, owner, random, scryptCost);
  const id = sha256(bytes).toString("hex");
  await backend.save({ type: "key", name: id }, bytes, { signal });
  try {
    await proveKey(repository, id, password, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    // It was of no use, and a second file nobody can open would only confuse.
    await backend.remove({ type: "key", name: id }).catch(() => {});
    throw new ComebackError("key.unproven", "the new key does not open the repository", {
      why: "it was read back from the storage and tried; all keys are as they were",
      next: "try again; if it fails once more, look at the storage and the machine's memory",
      cause: error,
    });
  }
  return id;
}

/** Reads the key back from the store and opens with it what only the right one opens. */
async function proveKey(
  repository: Repository,
  id: string,
  password: string,
  options: OperationOptions,
): Promise<void> {
  const { backend, random } = repository;
  const opened = await openKeyFile(await loadKey(repository, id, options), password, random);
  if (opened === undefined) throw new Error("its password does not open it");
  using cipher = new BoxCipher(opened, random);
  const config = decodeConfig(await loadSealedConfig(backend, cipher, options), cipher);
  if (config.id !== repository.config.id) throw new Error("it opens another repository");
}

/** The key that stays must be whole before another goes. */
async function assertOwnKey(repository: Repository, options: OperationOptions): Promise<void> {
  try {
    await loadKey(repository, repository.keyId, options);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ComebackError("key.none-left", "no key is removed: the one in use is not safe", {
      why: "its file is gone or damaged since it opened the repository",
      next: "add a key with `comeback key add`, and try again with that one's password",
      cause,
    });
  }
}

async function keyIds(repository: Repository, options: OperationOptions): Promise<string[]> {
  const files = await Array.fromAsync(repository.backend.list("key", options));
  return files.map(({ name }) => name);
}

async function loadKey(
  repository: Repository,
  id: string,
  options: OperationOptions,
): Promise<KeyFile> {
  const { data } = await loadNamed(repository.backend, { type: "key", name: id }, options);
  return parseKeyFile(data, id);
}

function findKeyId(ids: readonly string[], start: string): string {
  const matches = /^[0-9a-f]+$/.test(start) ? ids.filter((id) => id.startsWith(start)) : [];
  const [match] = matches;
  if (matches.length === 1 && match !== undefined) return match;
  throw match === undefined
    ? new ComebackError("key.not-found", `there is no key ${start}`, {
        next: "list the keys with `comeback key list`",
      })
    : new ComebackError("key.ambiguous", `${start} is the start of several keys`, {
        why: `${matches.map((id) => id.slice(0, 12)).join(", ")} all begin with it`,
        next: "give more digits of the id",
      });
}
