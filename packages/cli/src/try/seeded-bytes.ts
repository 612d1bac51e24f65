import { createCipheriv } from "node:crypto";

const WORDS = (
  "backup restore proof evening river paper table window garden letter number silver machine " +
  "travel winter market answer question simple museum library account invoice meeting project " +
  "photograph recipe journey contract summary budget calendar and the of in with for over under"
).split(" ");

/** Bytes that look random and are the same for the same seed. */
export class SeededBytes {
  readonly #stream: ReturnType<typeof createCipheriv>;

  constructor(seed: number) {
    const key = Buffer.alloc(16);
    key.writeUInt32LE(seed);
    this.#stream = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  }

  bytes(length: number): Buffer {
    return this.#stream.update(Buffer.alloc(length));
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return this.bytes(4).readUInt32LE() % limit;
  }

  /** About `length` bytes of lines of words. */
  text(length: number): string {
    const picks = this.bytes(Math.ceil(length / 5));
    let text = "";
    for (let at = 0; text.length < length && at < picks.length; at++) {
      const pick = picks[at] as number;
      text += WORDS[pick % WORDS.length] + (pick > 235 ? ".\n" : " ");
    }
    return text;
  }
}
