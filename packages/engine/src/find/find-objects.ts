import type { ByteString, OperationOptions } from "@comeback/core";
import { ComebackError, fileTooShort } from "@comeback/core";
import type { BlobType } from "../index/blob-table.ts";
import type { WalkedNode } from "../listing/walk-snapshot.ts";
import { decodePackHeader, PACK_TRAILER_BYTES, packHeaderLength } from "../pack/header.ts";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type FindOptions, searchSnapshots } from "./find-entries.ts";
import { TreeSearch, type Visit } from "./tree-search.ts";

/** Which blobs of each type are looked for: whole ids, or the beginnings of some. */
export interface WantedObjects {
  readonly data: readonly string[];
  readonly tree: readonly string[];
}

export interface FoundObject {
  readonly type: BlobType;
  readonly id: string;
  /** Of data the file, of a tree the folder. */
  readonly path: ByteString;
  /** Of data: the tree that lists the file. */
  readonly parentTreeId: string | undefined;
}

export interface FindObjectsOptions extends FindOptions {
  readonly objects: WantedObjects;
  onMatch(match: FoundObject, snapshot: Snapshot): void;
}

/** Where in snapshots blobs are used. */
export async function findObjects(options: FindObjectsOptions): Promise<void> {
  const data = new IdMatcher(options.objects.data);
  const tree = new IdMatcher(options.objects.tree);
  const visit = ({ node, path, parentTreeId }: WalkedNode): Visit<FoundObject> => {
    const matches: FoundObject[] = [];
    if (node.type === "dir" && node.subtree !== undefined && tree.matches(node.subtree)) {
      matches.push({ type: "tree", id: node.subtree, path, parentTreeId: undefined });
    }
    if (node.type === "file" && !data.isEmpty) {
      for (const id of node.content ?? []) {
        if (data.matches(id)) matches.push({ type: "data", id, path, parentTreeId });
      }
    }
    return { matches, descends: true };
  };
  const search = new TreeSearch(options.repository, visit);
  await searchSnapshots(
    {
      ...options,
      onSnapshot: (snapshot, number) => {
        options.onSnapshot?.(snapshot, number);
        const { tree: id } = snapshot;
        if (!tree.matches(id)) return;
        options.onMatch({ type: "tree", id, path: "/", parentTreeId: undefined }, snapshot);
      },
    },
    search,
    options.onMatch,
  );
}

/** Ids, some of them only by their beginning. */
class IdMatcher {
  readonly #whole: ReadonlySet<string>;
  readonly #starts: readonly string[];

  constructor(ids: readonly string[]) {
    this.#whole = new Set(ids.filter((id) => id.length === 64));
    this.#starts = ids.filter((id) => id.length < 64);
  }

  get isEmpty(): boolean {
    return this.#whole.size === 0 && this.#starts.length === 0;
  }

  matches(id: string): boolean {
    if (this.#whole.has(id)) return true;
    for (const start of this.#starts) if (id.startsWith(start)) return true;
    return false;
  }
}

/** The blobs of packs, each named by its id or the beginning of it. */
export async function blobsOfPacks(
  repository: Repository,
  packs: readonly string[],
  options: OperationOptions = {},
): Promise<WantedObjects> {
  const { table, packIds } = repository.index;
  const numbers = new Set<number>();
  const objects = { data: [] as string[], tree: [] as string[] };
  for (const start of packs) {
    const found = packIds.flatMap((id, number) => (id.startsWith(start) ? [number] : []));
    for (const number of found) numbers.add(number);
    if (found.length > 0) continue;
    for (const { type, id } of await blobsOfUnlistedPack(repository, start, options)) {
      objects[type].push(id);
    }
  }
  for (let entry = 0; entry < table.count; entry++) {
    if (numbers.has(table.packOf(entry))) objects[table.typeOf(entry)].push(table.idOf(entry));
  }
  return objects;
}

/** What the header of a pack says that no index lists. */
async function blobsOfUnlistedPack(
  repository: Repository,
  start: string,
  options: OperationOptions,
): Promise<readonly { readonly type: BlobType; readonly id: string }[]> {
  const { backend, codec } = repository;
  for await (const { name, sizeBytes } of backend.list("pack", options)) {
    if (!name.startsWith(start)) continue;
    const file = { type: "pack", name } as const;
    const what = `pack ${name.slice(0, 10)}`;
    const end = sizeBytes - PACK_TRAILER_BYTES;
    if (end < 0) throw fileTooShort(file, PACK_TRAILER_BYTES);
    const trailer = await backend.load(file, {
      ...options,
      offset: end,
      length: PACK_TRAILER_BYTES,
    });
    const length = packHeaderLength(trailer, sizeBytes, what);
    const box = await backend.load(file, { ...options, offset: end - length, length });
    return decodePackHeader(box, end - length, codec.cipher, what);
  }
  throw new ComebackError("backend.not-found", `there is no pack ${start}`, {
    next: "list the packs with `comeback list packs`",
  });
}
