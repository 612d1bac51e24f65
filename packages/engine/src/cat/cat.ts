import type { ByteString, FileType, OperationOptions } from "@comeback/core";
import { ComebackError } from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";
import { encodeMasterKey } from "../crypto/master-key.ts";
import { isId } from "../index/blob-table.ts";
import { resolveFolder } from "../listing/resolve-path.ts";
import { loadSealedConfig } from "../repository/look-for-config.ts";
import type { Repository } from "../repository/repository.ts";
import { findSnapshot, type SnapshotFilter } from "../repository/snapshots.ts";
import { indentJson } from "./indent-json.ts";

/** What restic's `cat` can show. `blob` and `tree` need the index to be loaded. */
export type CatRequest =
  | { readonly kind: "config" | "masterkey" }
  | { readonly kind: "key" | "index" | "lock" | "pack" | "blob"; readonly id: string }
  | { readonly kind: "snapshot"; readonly name: string; readonly filter?: SnapshotFilter }
  | {
      readonly kind: "tree";
      readonly name: string;
      readonly path?: ByteString;
      readonly filter?: SnapshotFilter;
    };

export const CAT_KINDS: readonly CatRequest["kind"][] = [
  "config",
  "index",
  "snapshot",
  "key",
  "masterkey",
  "lock",
  "pack",
  "blob",
  "tree",
];

export interface CatResult {
  /** Exactly what goes to the standard output, a final newline included where restic has one. */
  readonly bytes: Uint8Array;
  readonly warning?: string;
}

/** One object of the repository, decrypted, in the form in which restic shows it. */
export async function cat(
  repository: Repository,
  request: CatRequest,
  options: OperationOptions = {},
): Promise<CatResult> {
  switch (request.kind) {
    case "config": {
      const { backend, codec } = repository;
      const stored = await loadSealedConfig(backend, codec.cipher, options);
      return lines(opened(repository, stored));
    }
    case "masterkey":
      return lines(encodeMasterKey(repository.key));
    case "key": {
      const name = fullId(request.id);
      return lines(await repository.backend.load({ type: "key", name }, options));
    }
    case "index": {
      const json = await repository.loadUnpacked("index", fullId(request.id), options);
      // As it is: an index may have millions of entries.
      return { bytes: Buffer.concat([json, Buffer.from("\n")]) };
    }
    case "lock":
      return lines(await repository.loadUnpacked("lock", fullId(request.id), options));
    case "snapshot": {
      const snapshot = await findSnapshot(repository, request.name, request.filter, options);
      return lines(await repository.loadUnpacked("snapshot", snapshot.id, options));
    }
    case "pack":
      return catPack(repository, fullId(request.id), options);
    case "blob":
      return { bytes: await catBlob(repository, fullId(request.id), options) };
    case "tree": {
      const { tree } = await findSnapshot(repository, request.name, request.filter, options);
      const id = await resolveFolder(repository, tree, request.path ?? "/", options);
      return { bytes: await repository.loadBlob("tree", id, options) };
    }
  }
}

function lines(json: Uint8Array): CatResult {
  return { bytes: Buffer.from(`${indentJson(Buffer.from(json).toString("utf8"))}\n`) };
}

function opened(repository: Repository, stored: Uint8Array): Uint8Array {
  const json = repository.codec.cipher.open(stored);
  if (json !== undefined) return json;
  throw new ComebackError("repository.damaged", "the repository's config file is damaged", {
    why: "its authentication code does not hold",
  });
}

function fullId(id: string): string {
  if (isId(id)) return id;
  throw new ComebackError("option.invalid", `${JSON.stringify(id)} is not a full id`, {
    why: "an id has 64 hexadecimal digits",
    next: "list ids with `comeback list TYPE`",
  });
}

async function catPack(
  repository: Repository,
  name: string,
  options: OperationOptions,
): Promise<CatResult> {
  const type: FileType = "pack";
  const bytes = await repository.backend.load({ type, name }, options);
  const hash = sha256(bytes).toString("hex");
  if (hash === name) return { bytes };
  return { bytes, warning: `the pack's content has the hash ${hash}, and not its name` };
}

async function catBlob(
  repository: Repository,
  id: string,
  options: OperationOptions,
): Promise<Uint8Array> {
  for (const type of ["data", "tree"] as const) {
    if (repository.index.has(type, id)) return repository.loadBlob(type, id, options);
  }
  throw new ComebackError("option.invalid", `there is no blob ${id}`, {
    why: "the index lists neither data nor a tree under this id",
  });
}
