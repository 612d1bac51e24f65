import { SFTP_PACKET_MAX_BYTES } from "@comeback/core";
import { ProtocolError } from "./packet-reader.ts";

const LENGTH_BYTES = 4;

/**
 * Cuts a stream of bytes into packets. A packet that lies within one chunk is handed on where it
 * is; others are put together in one buffer that is used again and again.
 */
export class PacketSplitter {
  readonly #onPacket: (packet: Buffer) => void;
  readonly #head = Buffer.alloc(LENGTH_BYTES);
  #headBytes = 0;
  #body: Buffer = Buffer.alloc(0);
  #bodyBytes = 0;
  /** Length of the packet that is being put together, once its head is known. */
  #wanted: number | undefined;

  /** `onPacket` gets a view that is valid only until it returns. */
  constructor(onPacket: (packet: Buffer) => void) {
    this.#onPacket = onPacket;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) at = this.#step(chunk, at);
  }

  #step(chunk: Buffer, at: number): number {
    if (this.#wanted === undefined) {
      const taken = Math.min(LENGTH_BYTES - this.#headBytes, chunk.length - at);
      chunk.copy(this.#head, this.#headBytes, at, at + taken);
      this.#headBytes += taken;
      if (this.#headBytes === LENGTH_BYTES) this.#wanted = checkedLength(this.#head);
      return at + taken;
    }
    const wanted = this.#wanted;
    if (this.#bodyBytes === 0 && chunk.length - at >= wanted) {
      this.#deliver(chunk.subarray(at, at + wanted));
      return at + wanted;
    }
    if (this.#body.length < wanted) this.#body = grown(this.#body, this.#bodyBytes, wanted);
    const taken = Math.min(wanted - this.#bodyBytes, chunk.length - at);
    chunk.copy(this.#body, this.#bodyBytes, at, at + taken);
    this.#bodyBytes += taken;
    if (this.#bodyBytes === wanted) this.#deliver(this.#body.subarray(0, wanted));
    return at + taken;
  }

  #deliver(packet: Buffer): void {
    this.#wanted = undefined;
    this.#headBytes = 0;
    this.#bodyBytes = 0;
    this.#onPacket(packet);
  }
}

/** Checked before anything is allocated. Text of a login script gives lengths beyond all bounds. */
function checkedLength(head: Buffer): number {
  const length = head.readUInt32BE(0);
  if (length >= 1 && length <= SFTP_PACKET_MAX_BYTES) return length;
  throw new ProtocolError(`a packet of ${length} bytes is announced`);
}

function grown(body: Buffer, usedBytes: number, wanted: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.min(SFTP_PACKET_MAX_BYTES, wanted * 2));
  body.copy(larger, 0, 0, usedBytes);
  return larger;
}
