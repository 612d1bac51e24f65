import { createHash } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type {
  Backend,
  Clock,
  FileType,
  ListedFile,
  OperationOptions,
  Random,
} from "@comeback/core";
import {
  ComebackError,
  damaged,
  INDEX_LOAD_ROUNDS_MAX,
  isComebackError,
  PACK_SIZE_DEFAULT_BYTES,
} from "@comeback/core";
import type { CachedBackend } from "../cache/cached-backend.ts";
import { randomPolynomial } from "../chunker/polynomial.ts";
import { BlobCodec, type CompressionMode, sha256 } from "../crypto/blob-codec.ts";
import { BoxCipher } from "../crypto/box.ts";
import { createKeyFile, type ScryptCost } from "../crypto/key-file.ts";
import { generateMasterKey, type MasterKey } from "../crypto/master-key.ts";
import { decodeUnpacked, encodeUnpacked } from "../crypto/unpacked.ts";
import type { BlobType } from "../index/blob-table.ts";
import { addIndexFile, type IndexFileListing } from "../index/add-index-file.ts";
import {
  type FoundBlob,
  RepositoryIndex,
  type RepositoryIndexOptions,
} from "../index/repository-index.ts";
import { Packer } from "../pack/packer.ts";
import { decodeTree } from "../tree/decode.ts";
import { formatTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";
import { decodeConfig, encodeConfig, type RepositoryConfig } from "./config.ts";
import { assertIsNotHot } from "./hot-part.ts";
import { listedOnce } from "./listed-once.ts";
import { loadNamed } from "./load-named.ts";
import { LoadedPacks } from "./loaded-packs.ts";
import { emptyPassword, findKey } from "./find-key.ts";
import { instantOfMilliseconds } from "./instant.ts";
import { hasConfig, loadConfig, loadSealedConfig, refuseOtherData } from "./look-for-config.ts";

export interface RepositoryOptions extends OperationOptions {
  readonly backend: Backend;
  readonly password: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly compression?: CompressionMode;
  /** Target size of a pack in bytes. */
  readonly packSizeBytes?: number;
  /**
   * Where packs may wait in files on their way to storage far away; in memory, and fewer of them,
   * where it is not given. Best on a disk: there they need not be memory at all.
   */
  readonly temporaryFolder?: string | undefined;
  /** Check every blob by opening it again before it is uploaded; default true. */
  readonly verifyBlobs?: boolean;
  /**
   * Puts a cache in front of the backend, once the repository's id is known.
   */
  readonly cache?: (backend: Backend, repositoryId: string) => Promise<CachedBackend | undefined>;
}

export interface InitOptions extends RepositoryOptions {
  readonly version?: 1 | 2;
  /** Where files are cut; a random one if not given. Repositories that share it share contents. */
  readonly chunkerPolynomial?: bigint;
  readonly scryptCost?: ScryptCost;
}

export interface LoadIndexOptions extends OperationOptions, RepositoryIndexOptions {
  /** Told what each file lists. */
  onFile?(name: string, listing: IndexFileListing): void;
}

/** A lock under which a repository is worked on. */
export interface HeldLock {
  /** Fails where others may have gone ahead without regard to us. */
  assertHeld(): Promise<void>;
}

/**
 * An open repository: its key, its config, and everything that reads or writes a single file or
 * blob of it. Backup, restore and check build on it.
 */
export class Repository implements AsyncDisposable {
  readonly backend: Backend;
  readonly config: RepositoryConfig;
  readonly key: MasterKey;
  /** The key file that the password opened. */
  readonly keyId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly compression: CompressionMode;
  readonly packSizeBytes: number;
  readonly temporaryFolder: string | undefined;
  readonly verifyBlobs: boolean;
  readonly codec: BlobCodec;
  readonly #cache: CachedBackend | undefined;
  readonly #packs: LoadedPacks;
  #index: RepositoryIndex | undefined;
  #lock: HeldLock | undefined;

  private constructor(
    options: RepositoryOptions,
    opened: { config: RepositoryConfig; key: MasterKey; keyId: string },
    cache: CachedBackend | undefined,
  ) {
    this.backend = listedOnce(cache ?? options.backend);
    this.#cache = cache;
    this.config = opened.config;
    this.key = opened.key;
    this.keyId = opened.keyId;
    this.clock = options.clock;
    this.random = options.random;
    this.compression = options.compression ?? "auto";
    this.packSizeBytes = options.packSizeBytes ?? PACK_SIZE_DEFAULT_BYTES;
    this.temporaryFolder = options.temporaryFolder;
    this.verifyBlobs = options.verifyBlobs ?? true;
    this.codec = new BlobCodec({
      key: this.key,
      random: this.random,
      compression: this.compression,
      version: this.config.version,
      verify: this.verifyBlobs,
    });
    this.#packs = new LoadedPacks(this.backend);
  }

  /** Writes config and first key into an empty backend, and opens the new repository. */
  static async init(options: InitOptions): Promise<Repository> {
    const { backend, password, random, clock, signal } = options;
    if (password === "") throw emptyPassword();
    if (await hasConfig(backend, options)) {
      throw new ComebackError("repository.exists", `there is a repository at ${backend.location}`, {
        next: "use it as it is, or choose another place",
      });
    }
    await refuseOtherData(backend, options);
    const key = generateMasterKey(random);
    const owner = {
      username: userInfo().username,
      hostname: hostname(),
      created: formatTime(instantOfMilliseconds(clock.now())),
    };
    const keyFile = await createKeyFile(key, password, owner, random, options.scryptCost);
    const keyId = createHash("sha256").update(keyFile).digest("hex");
    const config: RepositoryConfig = {
      version: options.version ?? 2,
      id: Buffer.from(random.fill(new Uint8Array(32))).toString("hex"),
      chunkerPolynomial: options.chunkerPolynomial ?? randomPolynomial(random),
      raw: {},
    };
    using cipher = new BoxCipher(key, random);
    await backend.save({ type: "key", name: keyId }, keyFile, { signal });
    // The config comes last: only with it is there a repository.
    await backend.save({ type: "config", name: "" }, encodeConfig(config, cipher), { signal });
    return new Repository(options, { config, key, keyId }, undefined);
  }

  static async open(options: RepositoryOptions): Promise<Repository> {
    const { backend, random } = options;
    // Side by side: far away, each call takes its time. That there is no config says more than
    // that there is no key.
    const [stored, found] = await Promise.allSettled([
      loadConfig(backend, options),
      findKey(options),
    ]);
    if (stored.status === "rejected") throw stored.reason;
    if (found.status === "rejected") throw found.reason;
    const { key, keyId } = found.value;
    using cipher = new BoxCipher(key, random);
    const config = decodeConfig(
      await loadSealedConfig(backend, cipher, options, stored.value),
      cipher,
    );
    assertIsNotHot(config, backend.location);
    const cache = await options.cache?.(backend, config.id);
    return new Repository(options, { config, key, keyId }, cache);
  }

  /** The index in memory. `loadIndex` comes first. */
  get index(): RepositoryIndex {
    if (this.#index === undefined) throw new Error("the index is not loaded");
    return this.#index;
  }

  /** Reads every index file. A damaged one fails, for a partial index would hide stored data. */
  async loadIndex(options: LoadIndexOptions = {}): Promise<RepositoryIndex> {
    const { backend } = this;
    const { includeMarked = false, newBlobsExpected, onFile, ...call } = options;
    const loaded = new Set<string>();
    let index: RepositoryIndex | undefined;
    for (let round = 0, isComplete = false; !isComplete; round++) {
      const files: ListedFile[] = [];
      for await (const file of backend.list("index", call)) {
        if (!loaded.has(file.name)) files.push(file);
      }
      const bytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
      const target = (index ??= RepositoryIndex.forFiles(bytes, {
        includeMarked,
        newBlobsExpected,
      }));
      // A prune may replace files meanwhile, and none of its new ones may be missed: who writes
      // stores a blob once more then, but who reads would take it for lost.
      isComplete = files.length === 0 || !includeMarked || round === INDEX_LOAD_ROUNDS_MAX;
      await eachConcurrently(files, backend.connections, async ({ name }) => {
        try {
          const json = await this.loadUnpacked("index", name, call);
          const listing = addIndexFile(target, json, `index ${name.slice(0, 8)}`);
          onFile?.(name, listing);
          loaded.add(name);
        } catch (error) {
          const isGone = isComebackError(error, "backend.not-found");
          if (!isGone || round === INDEX_LOAD_ROUNDS_MAX) throw error;
          isComplete = false;
        }
      });
    }
    return (this.#index = index as RepositoryIndex);
  }

  /** The JSON bytes of an index, snapshot or lock file; its name and MAC have been checked. */
  async loadUnpacked(
    type: FileType,
    name: string,
    options: OperationOptions = {},
  ): Promise<Uint8Array> {
    const what = `${type} ${name.slice(0, 8)}`;
    const { data, isMatching } = await loadNamed(this.backend, { type, name }, options);
    if (!isMatching) {
      const why = "its content does not match its name";
      throw type === "index" ? damaged(what, why, undefined, REBUILD_INDEX) : damaged(what, why);
    }
    return decodeUnpacked(data, this.codec, what);
  }

  /** From now on, snapshots are only saved, and packs only removed, while this lock is held. */
  workUnder(lock: HeldLock): void {
    this.#lock = lock;
  }

  /** Fails where the lock that the repository is worked on under is not ours any more. */
  async assertLocked(): Promise<void> {
    await this.#lock?.assertHeld();
  }

  /** Seals and saves JSON under the name that its content gives it. */
  async saveUnpacked(
    type: FileType,
    json: Uint8Array,
    options: OperationOptions = {},
  ): Promise<string> {
    const { version } = this.config;
    return this.saveSealed(type, encodeUnpacked(json, version, this.codec), options);
  }

  /** Saves a file that was sealed before, under the name that its content gives it. */
  async saveSealed(
    type: FileType,
    stored: Uint8Array,
    options: OperationOptions = {},
  ): Promise<string> {
    const name = sha256(stored).toString("hex");
    // What it refers to might have been deleted since.
    if (type === "snapshot") await this.assertLocked();
    await this.backend.save({ type, name }, stored, options);
    return name;
  }

  /** A blob's plaintext, checked against its id. Tries every pack that holds it. */
  loadBlob(
    type: BlobType,
    id: string,
    options: OperationOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#useBlob(type, id, options, (plaintext) => plaintext.slice());
  }

  loadTree(id: string, options: OperationOptions = {}): Promise<TreeNode[]> {
    return this.#useBlob("tree", id, options, decodeTree);
  }

  /** Calls `use` with a blob's plaintext, which is only valid during the call. */
  async #useBlob<T>(
    type: BlobType,
    id: string,
    options: OperationOptions,
    use: (plaintext: Uint8Array) => T,
  ): Promise<T> {
    const what = `${type} blob ${id.slice(0, 8)}`;
    let failure: unknown;
    for (const place of this.index.find(type, id)) {
      try {
        const used = await this.#useBlobOf(type, id, place, options, use);
        if (used !== undefined) return used.result;
        failure = damaged(what, `its copy in pack ${place.packId.slice(0, 8)} does not hold`);
      } catch (error) {
        if (options.signal?.aborted) throw error;
        failure = error;
      }
    }
    if (failure === undefined) throw damaged(what, "the index does not list it in any pack");
    throw isComebackError(failure, "backend.not-found")
      ? damaged(what, "the pack that holds it is missing", failure)
      : failure;
  }

  /** A packer for blobs that this thread stores. */
  newPacker(type: BlobType): Packer {
    const { codec, packSizeBytes } = this;
    return new Packer({ codec, table: this.index.table, type, packSizeBytes });
  }

  /** Told of a tree pack that was just stored, so that the cache may keep it. */
  rememberTreePack(name: string, data: Uint8Array): void {
    this.#cache?.store({ type: "pack", name }, data);
  }

  /** Told of a pack whose trees are about to be read, so that the cache may take it in. */
  treePackIsRead(name: string): void {
    this.#cache?.cacheable({ type: "pack", name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // What is still under way may want to open what it gets.
      await this.backend[Symbol.asyncDispose]();
    } finally {
      this.codec[Symbol.dispose]();
      this.key.encrypt.fill(0);
      this.key.macK.fill(0);
      this.key.macR.fill(0);
    }
  }

  /** The same with the blob's copy in one pack; `undefined` where its box or hash does not hold. */
  async #useBlobOf<T>(
    type: BlobType,
    id: string,
    place: FoundBlob,
    options: OperationOptions,
    use: (plaintext: Uint8Array) => T,
  ): Promise<{ result: T } | undefined> {
    const idBytes = Buffer.from(id, "hex");
    const file = { type: "pack", name: place.packId } as const;
    // Used in the same turn: any other call of the codec reuses the buffer.
    const open = (box: Uint8Array): { result: T } | undefined => {
      const plaintext = this.codec.open(idBytes, box, place.uncompressedLength);
      return plaintext && { result: use(plaintext) };
    };
    // What does not hold is read once more, for only the reading may be bad.
    const loadAndOpen = async (): Promise<{ result: T } | undefined> =>
      open(await this.backend.load(file, { ...options, ...place }));
    if (type === "data") return (await loadAndOpen()) ?? (await loadAndOpen());
    // Trees are read together: the pack is taken whole, and kept for the next ones.
    this.#cache?.cacheable(file);
    const box = await this.#packs.range(place.packId, place.offset, place.length, options);
    const used = open(box);
    if (used !== undefined) return used;
    this.#packs.forget(place.packId);
    this.#cache?.forget(file);
    return loadAndOpen();
  }
}

const REBUILD_INDEX =
  "rebuild the index from the packs with `comeback repair index`; nothing is lost with it";

/** Runs `work` over `items`, at most `limit` at a time; the first failure stops the rest. */
export async function eachConcurrently<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const runner = async (): Promise<void> => {
    for (let next = iterator.next(); !failed && !next.done; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, runner));
}
