import { REST_LIST_ENTRY_MAX_BYTES } from "@comeback/core";

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [ARRAY_OPEN, ARRAY_CLOSE, OBJECT_OPEN, OBJECT_CLOSE] = [0x5b, 0x5d, 0x7b, 0x7d];

const BLANKS = [0x20, 0x09, 0x0a, 0x0d];

/** What makes a text no JSON array, or one that nobody should take in. */
export class BadJsonArray extends Error {}

/**
 * The entries of a JSON array that comes in pieces: a list of a million files is 100 MB, and only
 * one entry of it is in memory at a time. `null` is how some servers write an empty list.
 */
export class JsonArraySplitter {
  #state: "before" | "inside" | "after" = "before";
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The beginning of an entry whose end has not come yet; before the array, its first bytes. */
  #kept: Buffer = Buffer.alloc(0);
  #isEmpty = true;

  /** The entries that these bytes complete. */
  push(piece: Uint8Array): unknown[] {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const entries: unknown[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (this.#state !== "inside") {
        if (this.#outside(byte)) start = at + 1;
      } else if (this.#inString) {
        at = this.#skipString(bytes, at);
      } else if (this.#endsEntry(byte)) {
        this.#take(bytes.subarray(start, at), byte, entries);
        start = at + 1;
      }
    }
    if (this.#state === "inside") this.#keep(bytes.subarray(start));
    return entries;
  }

  /** Throws unless the array is complete. */
  end(): void {
    const isNull = this.#state === "before" && this.#kept.toString("latin1") === "null";
    if (!isNull && this.#state !== "after") throw new BadJsonArray("the list ends in the middle");
  }

  /** True at the byte that opens the array. */
  #outside(byte: number): boolean {
    if (BLANKS.includes(byte)) return false;
    if (this.#state === "before" && byte === ARRAY_OPEN && this.#kept.length === 0) {
      this.#state = "inside";
      return true;
    }
    if (this.#state === "before" && this.#kept.length < "null".length) {
      this.#keep(Buffer.of(byte));
      if ("null".startsWith(this.#kept.toString("latin1"))) return false;
    }
    throw new BadJsonArray("the answer is not a list");
  }

  /** Most bytes of a list are in strings. Returns where the string ends, or the piece. */
  #skipString(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (this.#escaped) {
        this.#escaped = false;
      } else if (byte === BACKSLASH) {
        this.#escaped = true;
      } else if (byte === QUOTE) {
        this.#inString = false;
        return at;
      }
    }
    return bytes.length;
  }

  /** Follows strings and nesting; true at a comma or bracket of the array itself. */
  #endsEntry(byte: number): boolean {
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OBJECT_OPEN || byte === ARRAY_OPEN) this.#depth++;
    else if (byte === COMMA) return this.#depth === 0;
    else if (byte === ARRAY_CLOSE || byte === OBJECT_CLOSE) {
      if (this.#depth === 0) return true;
      this.#depth--;
    }
    return false;
  }

  #take(rest: Buffer, ending: number, entries: unknown[]): void {
    if (ending === OBJECT_CLOSE) throw new BadJsonArray("the list is not JSON");
    const text = this.#textWith(rest);
    if (ending !== COMMA) this.#state = "after";
    if (ending === ARRAY_CLOSE && this.#isEmpty && /^[ \t\n\r]*$/.test(text)) return;
    this.#isEmpty = false;
    try {
      entries.push(JSON.parse(text));
    } catch (cause) {
      throw new BadJsonArray("an entry of the list is not JSON", { cause });
    }
  }

  /** The entry that ends with these bytes; nearly always they are all of it. */
  #textWith(rest: Buffer): string {
    if (this.#kept.length === 0 && rest.length <= REST_LIST_ENTRY_MAX_BYTES) return rest.toString();
    this.#keep(rest);
    const text = this.#kept.toString();
    this.#kept = Buffer.alloc(0);
    return text;
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#kept.length + bytes.length > REST_LIST_ENTRY_MAX_BYTES) {
      throw new BadJsonArray(`an entry of the list is over ${REST_LIST_ENTRY_MAX_BYTES} bytes`);
    }
    this.#kept = this.#kept.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#kept, bytes]);
  }
}
