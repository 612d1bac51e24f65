import type { Stats } from "node:fs";
import { join } from "node:path";
import type { FileType } from "@comeback/core";
import { errorName } from "./file-system.ts";
import type { FileSystem } from "./file-system.ts";
import { CONFIG_NAME, typeFolder } from "./layout.ts";
import { notMounted } from "./local-errors.ts";

/** What tells one file or folder from another without reading it. */
interface Identity {
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/**
 * Notices that the repository's folder is no longer the one that was opened: a share or a disk
 * was unmounted (and its bare mount point is what the path names now), or another one was mounted
 * over it. The repository's config file is its identity: a swapped disk often has the same device
 * and inode numbers for its top folder, but never the same config.
 */
export class MountGuard {
  readonly #fileSystem: FileSystem;
  readonly #root: string;
  #folder: Identity | undefined;
  #config: { identity: Identity; bytes: Buffer } | undefined;
  /** Folders of a type may be mounts of their own; network file systems renumber inodes. */
  readonly #folderDevices: Map<FileType, number> = new Map();

  constructor(fileSystem: FileSystem, root: string) {
    this.#fileSystem = fileSystem;
    this.#root = root;
  }

  /** Takes what is there now as the repository. */
  async remember(): Promise<void> {
    this.#folder = await this.#identify(this.#root);
    const path = join(this.#root, CONFIG_NAME);
    const identity = await this.#identify(path);
    this.#config =
      identity === undefined
        ? undefined
        : { identity, bytes: await this.#fileSystem.readFile(path) };
  }

  /** Rejects with `backend.not-mounted` unless the repository is still the one remembered. */
  async check(type: FileType): Promise<void> {
    const isSame = type === "config" ? this.#isSameFolder() : this.#isSame();
    const [same, device] = await Promise.all([isSame, this.#deviceOf(type)]);
    if (!same) throw this.#gone(this.#root);
    const known = this.#folderDevices.get(type);
    if (device === undefined) return;
    if (known === undefined) this.#folderDevices.set(type, device);
    else if (known !== device) throw this.#gone(typeFolder(this.#root, type));
  }

  async #isSameFolder(): Promise<boolean> {
    const now = await this.#identify(this.#root);
    const then = this.#folder;
    return now !== undefined && now.device === then?.device && now.inode === then.inode;
  }

  async #isSame(): Promise<boolean> {
    if (this.#config === undefined) {
      const now = await this.#identify(this.#root);
      return (
        now !== undefined && now.device === this.#folder?.device && now.inode === this.#folder.inode
      );
    }
    const path = join(this.#root, CONFIG_NAME);
    const now = await this.#identify(path);
    if (now === undefined) return false;
    if (isEqual(now, this.#config.identity)) return true;
    // An automounter may give the same share new numbers after a pause: look at the bytes.
    const bytes = await this.#fileSystem.readFile(path);
    if (!bytes.equals(this.#config.bytes)) return false;
    this.#config = { identity: now, bytes };
    this.#folderDevices.clear();
    return true;
  }

  async #deviceOf(type: FileType): Promise<number | undefined> {
    if (type === "config") return undefined;
    return (await this.#identify(typeFolder(this.#root, type)))?.device;
  }

  async #identify(path: string): Promise<Identity | undefined> {
    try {
      return identityOf(await this.#fileSystem.stat(path));
    } catch (error) {
      if (errorName(error) === "ENOENT" || errorName(error) === "ENOTDIR") return undefined;
      throw error;
    }
  }

  #gone(folder: string): Error {
    return notMounted(
      this.#root,
      `${folder} is not the folder that was opened: it was unmounted, replaced or removed`,
    );
  }
}

function identityOf(stats: Stats): Identity {
  const { dev: device, ino: inode, size: sizeBytes, mtimeMs } = stats;
  return { device, inode, sizeBytes, mtimeMs };
}

function isEqual(a: Identity, b: Identity): boolean {
  return (
    a.device === b.device &&
    a.inode === b.inode &&
    a.sizeBytes === b.sizeBytes &&
    a.mtimeMs === b.mtimeMs
  );
}
