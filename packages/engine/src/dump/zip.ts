import { crc32, createDeflateRaw, type DeflateRaw, deflateRawSync } from "node:zlib";
import { bytesOf } from "@comeback/core";
import type { TreeNode } from "../tree/types.ts";
import type { DumpEntry } from "./dump-parts.ts";
import type { DumpPart } from "./read-windows.ts";
import {
  centralHeader,
  dataDescriptor,
  endRecords,
  localHeader,
  METHOD_DEFLATED,
  METHOD_STORED,
  type ZipEntry,
} from "./zip-records.ts";

/** A file up to this size is deflated in one call: a stream for each would cost more. */
const DEFLATED_AT_ONCE_BYTES = 256 * 1024;

/** Whether restic's zip files have this kind of entry. */
export function isForZip(node: TreeNode): boolean {
  return node.type === "file" || node.type === "dir" || node.type === "symlink";
}

/** A zip file of these parts. Only its directory, about 100 bytes an entry, stays in memory. */
export async function* writeZip(
  windows: AsyncIterable<readonly DumpPart[]>,
): AsyncGenerator<Uint8Array> {
  const zip = new ZipWriter();
  for await (const parts of windows) {
    for (const part of parts) {
      if (part instanceof Uint8Array) yield* zip.add(part);
      else {
        yield* zip.endEntry();
        yield* zip.begin(part);
      }
    }
  }
  yield* zip.endEntry();
  yield* zip.end();
}

class ZipWriter {
  readonly #directory: Buffer[] = [];
  #offset = 0;
  /** The file whose content comes now. */
  #open: ZipEntry | undefined;
  #small: Uint8Array[] = [];
  #deflater: Deflater | undefined;

  *begin({ path, node, sizeBytes }: DumpEntry): Generator<Uint8Array> {
    const isFile = node.type === "file";
    const content = node.type === "symlink" ? bytesOf(node.linktarget ?? "") : Buffer.alloc(0);
    const entry: ZipEntry = {
      name: node.type === "dir" ? `${path}/` : path,
      node,
      method: isFile ? METHOD_DEFLATED : METHOD_STORED,
      sizeBytes: isFile ? sizeBytes : content.length,
      offset: this.#offset,
      crc: crc32(content),
      packedBytes: content.length,
    };
    yield this.#counted(localHeader(entry));
    if (isFile) {
      this.#open = entry;
      if (sizeBytes > DEFLATED_AT_ONCE_BYTES) this.#deflater = new Deflater();
    } else {
      yield this.#counted(content);
      this.#directory.push(centralHeader(entry));
    }
  }

  async *add(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    if (this.#open === undefined) return;
    this.#open.crc = crc32(bytes, this.#open.crc);
    if (this.#deflater === undefined) {
      this.#small.push(bytes);
      return;
    }
    for (const packed of await this.#deflater.add(bytes)) yield this.#packed(packed);
  }

  async *endEntry(): AsyncGenerator<Uint8Array> {
    const entry = this.#open;
    if (entry === undefined) return;
    if (this.#deflater === undefined) {
      yield this.#packed(deflateRawSync(Buffer.concat(this.#small)));
      this.#small = [];
    } else {
      for (const packed of await this.#deflater.end()) yield this.#packed(packed);
      this.#deflater = undefined;
    }
    yield this.#counted(dataDescriptor(entry));
    this.#directory.push(centralHeader(entry));
    this.#open = undefined;
  }

  *end(): Generator<Uint8Array> {
    const offset = this.#offset;
    for (const header of this.#directory) yield this.#counted(header);
    const sizeBytes = this.#offset - offset;
    yield endRecords({ entries: this.#directory.length, offset, sizeBytes });
  }

  #packed(bytes: Uint8Array): Uint8Array {
    if (this.#open !== undefined) this.#open.packedBytes += bytes.length;
    return this.#counted(bytes);
  }

  #counted(bytes: Uint8Array): Uint8Array {
    this.#offset += bytes.length;
    return bytes;
  }
}

/** A stream of zlib as two calls, each of which gives what has come out so far. */
class Deflater {
  readonly #stream: DeflateRaw = createDeflateRaw();
  #out: Uint8Array[] = [];

  constructor() {
    this.#stream.on("data", (chunk: Uint8Array) => this.#out.push(chunk));
  }

  async add(bytes: Uint8Array): Promise<Uint8Array[]> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    return this.#taken();
  }

  async end(): Promise<Uint8Array[]> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#stream.once("end", resolve).once("error", reject);
    });
    this.#stream.end();
    await ended;
    return this.#taken();
  }

  #taken(): Uint8Array[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }
}
