import { byteStringFromText } from "@comeback/core";
import type { ByteString, Instant } from "@comeback/core";
import { SeededRandom } from "../seeded-random.ts";
import { buildTree } from "./build-tree.ts";
import { newName, newTarget } from "./random-names.ts";
import type { DirectorySpec, EntrySpec, FileSpec, TreeSpec } from "./tree-spec.ts";

export interface RandomTreeOptions {
  /** Entries in all, about; default 150. */
  readonly entries?: number;
  /** Add files around the bounds of chunks, 512 KiB and 8 MiB (about 26 MB); default false. */
  readonly largeFiles?: boolean;
  /** Add what only root can make: devices, foreign owners, `trusted` attributes; default: if root. */
  readonly asRoot?: boolean;
  /** Add extended attributes and access lists, which not every file system has; default true. */
  readonly attributes?: boolean;
  /** Add sockets, which backups leave out; default false. */
  readonly sockets?: boolean;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const DEPTH_MAX = 6;

/** Builds a varied tree of its own for every seed, and the same one for the same seed. */
export function randomTree(path: string, seed: number, options: RandomTreeOptions = {}): TreeSpec {
  const spec = randomTreeSpec(seed, options);
  buildTree(path, spec);
  return spec;
}

export function randomTreeSpec(seed: number, options: RandomTreeOptions = {}): TreeSpec {
  const asRoot = options.asRoot ?? process.getuid?.() === 0;
  return new TreeGrower(new SeededRandom(seed), { ...options, asRoot }).grow();
}

class TreeGrower {
  readonly #random: SeededRandom;
  readonly #options: RandomTreeOptions;
  readonly #files: ByteString[] = [];
  readonly #contents: Uint8Array[] = [];
  #left: number;

  constructor(random: SeededRandom, options: RandomTreeOptions) {
    this.#random = random;
    this.#options = options;
    this.#left = options.entries ?? 150;
  }

  grow(): TreeSpec {
    const tree = new Map<ByteString, EntrySpec>();
    // One of each kind for certain, whatever the seed draws afterwards.
    tree.set("empty file", { type: "file" });
    tree.set("empty folder", { type: "dir" });
    tree.set("sparse", this.#sparseFile());
    tree.set("fifo", { type: "fifo", ...this.#common() });
    tree.set("dangling", { type: "symlink", target: "nowhere/at all" });
    tree.set("first name", { type: "file", content: "one file, two names" });
    tree.set("second name", { type: "hardlink", to: "first name" });
    if (this.#options.sockets === true) tree.set("socket", { type: "socket" });
    if (this.#options.largeFiles === true) tree.set("large", this.#largeFiles());
    while (this.#left > 0) this.#fill(tree, "", 0);
    return tree;
  }

  #fill(tree: Map<ByteString, EntrySpec>, path: ByteString, depth: number): void {
    const count = this.#random.integer(0, 14);
    for (let i = 0; i < count && this.#left > 0; i++) {
      const name = newName(this.#random);
      if (tree.has(name)) continue;
      this.#left--;
      tree.set(name, this.#entry(path === "" ? name : `${path}/${name}`, depth));
    }
  }

  #entry(path: ByteString, depth: number): EntrySpec {
    const random = this.#random;
    if (depth < DEPTH_MAX && random.chance(18)) return this.#directory(path, depth);
    if (random.chance(8)) {
      return { type: "symlink", target: newTarget(random), ...this.#times(), ...this.#owner() };
    }
    if (random.chance(5) && this.#files.length > 0) {
      return { type: "hardlink", to: random.pick(this.#files) };
    }
    if (random.chance(3)) return { type: "fifo", ...this.#common() };
    if (this.#options.asRoot === true && random.chance(3)) {
      const type = random.pick(["dev", "chardev"] as const);
      // Minor numbers beyond 255 take other bits of a device number.
      const [major, minor] = [random.integer(1, 500), random.integer(0, 70_000)];
      return { type, major, minor, ...this.#common() };
    }
    this.#files.push(path);
    return random.chance(4) ? this.#sparseFile() : this.#file();
  }

  #directory(path: ByteString, depth: number): DirectorySpec {
    const entries = new Map<ByteString, EntrySpec>();
    this.#fill(entries, path, depth + 1);
    const acl = this.#acl();
    const defaultAcl = acl.acl === undefined || this.#random.chance(50) ? {} : { defaultAcl: ACL };
    const mode = this.#random.pick([0o755, 0o700, 0o1777, 0o2775, 0o555, 0o000, 0o711]);
    const usable = this.#options.asRoot === true ? mode : mode | 0o700;
    const common = this.#common();
    const xattrs = { ...common.xattrs, ...this.#userXattrs() };
    return { type: "dir", ...common, xattrs, mode: usable, ...acl, ...defaultAcl, entries };
  }

  #file(): FileSpec {
    const common = this.#common();
    const xattrs = { ...common.xattrs, ...this.#userXattrs(), ...this.#capability() };
    return { type: "file", content: this.#content(), ...common, xattrs, ...this.#acl() };
  }

  #content(): Uint8Array {
    const random = this.#random;
    if (random.chance(10) && this.#contents.length > 0) return random.pick(this.#contents);
    const size = random.pick([0, 1, 31, 100, 511, 4096, 5000, 20_000, 65_536, 200_000]);
    const bytes = random.bytes(size);
    // Half of the files can be compressed.
    if (random.chance(50)) for (let i = 0; i < size; i++) bytes[i] = 97 + (bytes[i]! & 3);
    this.#contents.push(bytes);
    return bytes;
  }

  #sparseFile(): FileSpec {
    const random = this.#random;
    const content = [
      ...(random.chance(50) ? [{ holeBytes: random.integer(1, 40) * 64 * KiB }] : []),
      random.bytes(random.integer(1, 5000)),
      { holeBytes: MiB },
      random.bytes(100),
      ...(random.chance(50) ? [{ holeBytes: random.integer(1, 3) * MiB + 5 }] : []),
    ];
    return { type: "file", content, ...this.#common() };
  }

  #largeFiles(): DirectorySpec {
    const entries = new Map<ByteString, EntrySpec>();
    for (const bound of [512 * KiB, 8 * MiB]) {
      for (const size of [bound - 1, bound, bound + 1]) {
        entries.set(`random-${size}`, { type: "file", content: this.#random.bytes(size) });
      }
    }
    entries.set("zeros", { type: "file", content: new Uint8Array(MiB) });
    return { type: "dir", entries };
  }

  #common(): Pick<FileSpec, "mode" | "uid" | "gid" | "mtime" | "atime" | "xattrs"> {
    const mode = this.#random.pick(
      this.#options.asRoot === true
        ? [0o644, 0o600, 0o755, 0o444, 0o000, 0o4755, 0o2711, 0o6711, 0o1644, 0o777]
        : [0o644, 0o600, 0o755, 0o444, 0o4755, 0o777],
    );
    return { mode, ...this.#owner(), ...this.#times(), ...this.#xattrs() };
  }

  #owner(): { uid?: number; gid?: number } {
    if (this.#options.asRoot !== true || this.#random.chance(60)) return {};
    const ids = [0, 1, 33, 1000, 54_321, 65_534, 4_000_000_000];
    return { uid: this.#random.pick(ids), gid: this.#random.pick(ids) };
  }

  #times(): { mtime: Instant; atime: Instant } {
    return { mtime: this.#time(), atime: this.#time() };
  }

  #time(): Instant {
    const random = this.#random;
    // ext4 ends in 2446; before 1970 seconds are negative and nanoseconds still count upwards.
    const seconds = random.chance(80)
      ? random.integer(1_000_000_000, 1_800_000_000)
      : random.pick([-2_000_000_000, -1, 0, 1, 2_147_483_647, 2_147_483_648, 9_999_999_999]);
    const nanoseconds = random.pick([0, 1, 999_999_999, 500_000_000, 120_000, 123_456_789]);
    return { seconds, nanoseconds };
  }

  /** Every kind of entry may have `trusted` attributes, which only root sees. */
  #xattrs(): Pick<FileSpec, "xattrs"> {
    if (this.#options.asRoot !== true || !this.#hasAttributes(10)) return {};
    const xattrs: Record<ByteString, string | Uint8Array> = {
      [`trusted.comeback.${byteStringFromText("ä")}`]: this.#random.bytes(40),
    };
    if (this.#random.chance(50)) xattrs["trusted.comeback.empty"] = "";
    return { xattrs };
  }

  /** `user` attributes are for files and folders. */
  #userXattrs(): Record<ByteString, string | Uint8Array> {
    if (!this.#hasAttributes(15)) return {};
    return { "user.comeback.text": "some text", "user.comeback.bytes": this.#random.bytes(300) };
  }

  /** What `setcap` writes: the kernel drops it at every change of the owner. */
  #capability(): Record<ByteString, Uint8Array> {
    if (this.#options.asRoot !== true || !this.#hasAttributes(4)) return {};
    const value = Buffer.alloc(20);
    value.writeUInt32LE(0x02000001, 0);
    value.writeUInt32LE(1 << 10, 4);
    return { "security.capability": value };
  }

  #hasAttributes(percent: number): boolean {
    return this.#options.attributes !== false && this.#random.chance(percent);
  }

  #acl(): { acl?: string } {
    return this.#hasAttributes(10) ? { acl: ACL } : {};
  }
}

const ACL = "u::rwx,u:1000:r-x,u:4000000000:---,g::r-x,g:33:-w-,m::rwx,o::r--";
