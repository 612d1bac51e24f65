import type { Backend } from "@comeback/core";
import { MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { sealedBound, sha256 } from "../src/crypto/blob-codec.ts";
import type { ScryptCost } from "../src/crypto/key-file.ts";
import type { BlobType } from "../src/index/blob-table.ts";
import { encodeIndexFile, type IndexedPack } from "../src/index/index-file.ts";
import { encodePackHeader, type PackedBlob } from "../src/pack/header.ts";
import { Repository } from "../src/repository/repository.ts";
import { saveSnapshot } from "../src/repository/snapshots.ts";
import type { Snapshot, SnapshotFile } from "../src/snapshot/snapshot.ts";
import { encodeTree } from "../src/tree/encode.ts";
import type { TreeNode } from "../src/tree/types.ts";

/** Not for secrets: a key that opens at once. */
export const CHEAP_SCRYPT: ScryptCost = { N: 16, r: 1, p: 1 };
export const TEST_PASSWORD = "correct horse";

/** A blob that no pack holds yet. */
export interface LooseBlob {
  readonly type: BlobType;
  readonly id: string;
  readonly plaintext: Uint8Array;
}

export function dataBlob(content: string | Uint8Array): LooseBlob {
  const plaintext = typeof content === "string" ? Buffer.from(content) : content;
  return { type: "data", id: sha256(plaintext).toString("hex"), plaintext };
}

/** A tree of these nodes in the order given, or of any text at all. */
export function treeBlob(content: readonly TreeNode[] | string): LooseBlob {
  const plaintext = typeof content === "string" ? Buffer.from(content) : encodeTree(content);
  return { type: "tree", id: sha256(plaintext).toString("hex"), plaintext };
}

export function node(name: string, fields: Partial<TreeNode>): TreeNode {
  const time = "2026-01-02T03:04:05.678Z";
  return {
    name,
    type: "file",
    mode: 0o644,
    mtime: time,
    atime: time,
    ctime: time,
    uid: 0,
    gid: 0,
    user: "root",
    group: "root",
    inode: 1,
    device_id: 2,
    size: 0,
    links: 1,
    ...fields,
  };
}

export function fileNode(name: string, ...blobs: readonly LooseBlob[]): TreeNode {
  const size = blobs.reduce((sum, { plaintext }) => sum + plaintext.length, 0);
  return node(name, { content: blobs.map(({ id }) => id), size });
}

export function folderNode(name: string, tree: LooseBlob): TreeNode {
  return node(name, { type: "dir", mode: 2 ** 31 + 0o755, links: 0, subtree: tree.id });
}

/** Writes packs, index files and snapshots one by one, so that a test can leave out or twist any. */
export class RepositoryBuilder implements AsyncDisposable {
  readonly backend: MemoryBackend;
  readonly repository: Repository;

  private constructor(backend: MemoryBackend, repository: Repository) {
    this.backend = backend;
    this.repository = repository;
  }

  static async create(
    options: { version?: 1 | 2; seed?: number; listLagMs?: number } = {},
  ): Promise<RepositoryBuilder> {
    const backend = new MemoryBackend(options.listLagMs);
    const repository = await Repository.init({
      backend,
      password: TEST_PASSWORD,
      clock: new SimulatedClock(),
      random: new SeededRandom(options.seed ?? 1),
      version: options.version ?? 2,
      scryptCost: CHEAP_SCRYPT,
    });
    return new RepositoryBuilder(backend, repository);
  }

  /** Stores a pack that holds these blobs; no index lists it yet. */
  async pack(...blobs: readonly LooseBlob[]): Promise<IndexedPack> {
    const { codec, backend } = this.repository;
    const boxes: Uint8Array[] = [];
    const packed: PackedBlob[] = [];
    let offset = 0;
    for (const { type, id, plaintext } of blobs) {
      const target = new Uint8Array(sealedBound(plaintext.length));
      const sealed = codec.seal(type, Buffer.from(id, "hex"), plaintext, target);
      boxes.push(target.subarray(0, sealed.length));
      packed.push({ type, id, offset, ...sealed });
      offset += sealed.length;
    }
    const bytes = Buffer.concat([...boxes, encodePackHeader(packed, codec.cipher)]);
    const id = sha256(bytes).toString("hex");
    await backend.save({ type: "pack", name: id }, bytes);
    return { id, blobs: packed };
  }

  /** Stores a pack of one blob whose box somebody else has made, without compression. */
  async packSealed({ type, id }: LooseBlob, box: Uint8Array): Promise<IndexedPack> {
    const { codec, backend } = this.repository;
    const blobs = [{ type, id, offset: 0, length: box.length, uncompressedLength: 0 }];
    const bytes = Buffer.concat([box, encodePackHeader(blobs, codec.cipher)]);
    const name = sha256(bytes).toString("hex");
    await backend.save({ type: "pack", name }, bytes);
    return { id: name, blobs };
  }

  async index(...packs: readonly IndexedPack[]): Promise<string> {
    return this.repository.saveUnpacked("index", encodeIndexFile(packs));
  }

  async snapshot(tree: LooseBlob, fields: Partial<SnapshotFile> = {}): Promise<Snapshot> {
    const time = "2026-01-02T03:04:05.678Z";
    return saveSnapshot(this.repository, { time, tree: tree.id, paths: ["/src"], ...fields });
  }

  /** Changes a stored file at rest. */
  damage(
    type: "config" | "key" | "lock" | "snapshot" | "index" | "pack",
    name: string,
    change: (bytes: Buffer) => Uint8Array | undefined,
  ): void {
    const stored = this.backend.contents().get(type)?.get(name);
    if (stored === undefined) throw new Error(`there is no ${type} ${name}`);
    const bytes = Buffer.from(stored);
    this.backend.overwrite({ type, name }, change(bytes) ?? bytes);
  }

  /** The repository opened anew, as another process would. */
  async reopen(backend: Backend = this.backend.sharing()): Promise<Repository> {
    return Repository.open({
      backend,
      password: TEST_PASSWORD,
      clock: new SimulatedClock(),
      random: new SeededRandom(2),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository[Symbol.asyncDispose]();
  }
}

/** Flips one bit; a negative place counts from the end. */
export function flipBit(at: number): (bytes: Buffer) => undefined {
  return (bytes) => {
    const place = at < 0 ? bytes.length + at : at;
    bytes.writeUInt8(bytes.readUInt8(place) ^ 0x10, place);
    return undefined;
  };
}
