/** Replies of the SFTP protocol, version 3. */
export const Reply = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 201,
} as const;

/** What a status says (draft 02, section 7). */
export const Status = {
  ok: 0,
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

/** A server that does not keep to the protocol, or text that is not SFTP at all. */
export class ProtocolError extends Error {}

export interface FileAttributes {
  readonly sizeBytes: number | undefined;
  /** `st_mode` with the type of the file. */
  readonly mode: number | undefined;
  /** Unix seconds. */
  readonly mtime: number | undefined;
}

const TYPE_MASK = 0o170000;

export function isRegularFile(attributes: FileAttributes): boolean {
  return attributes.mode !== undefined && (attributes.mode & TYPE_MASK) === 0o100000;
}

export function isFolder(attributes: FileAttributes): boolean {
  return attributes.mode !== undefined && (attributes.mode & TYPE_MASK) === 0o040000;
}

export function isSymlink(attributes: FileAttributes): boolean {
  return attributes.mode !== undefined && (attributes.mode & TYPE_MASK) === 0o120000;
}

/** The fields of one packet, read in order; every length is checked against what is there. */
export class PacketReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remainingBytes(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** Beyond 2^53 it is only approximate: no such number is a size or an offset of ours. */
  uint64(): number {
    const at = this.#take(8);
    return this.#bytes.readUInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
  }

  /** A view: to be copied where it is kept, since the next packet takes its place. */
  string(): Buffer {
    const length = this.uint32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    return this.string().toString("utf8");
  }

  attributes(): FileAttributes {
    const flags = this.uint32();
    const sizeBytes = (flags & 1) === 0 ? undefined : this.uint64();
    if ((flags & 2) !== 0) this.#take(8);
    const mode = (flags & 4) === 0 ? undefined : this.uint32();
    let mtime: number | undefined;
    if ((flags & 8) !== 0) {
      this.#take(4);
      mtime = this.uint32();
    }
    if ((flags & 0x80000000) !== 0) {
      for (let pairs = this.uint32(); pairs > 0; pairs--) {
        this.string();
        this.string();
      }
    }
    return { sizeBytes, mode, mtime };
  }

  #take(length: number): number {
    if (length > this.remainingBytes) throw new ProtocolError("a packet is shorter than it says");
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
