import type { Random } from "@comeback/core";
import { damaged } from "@comeback/core";

/** The keys that everything of a repository is sealed with (restic design, "Keys, Encryption and MAC"). */
export interface MasterKey {
  /** AES-256 key, 32 bytes. */
  readonly encrypt: Uint8Array;
  /** AES-128 key that makes the one-time part of the MAC key, 16 bytes. */
  readonly macK: Uint8Array;
  /** Poly1305 `r`, 16 bytes. May be stored masked (restic up to 0.16) or raw: both mean the same. */
  readonly macR: Uint8Array;
}

export function generateMasterKey(random: Random): MasterKey {
  return {
    encrypt: random.fill(new Uint8Array(32)),
    macK: random.fill(new Uint8Array(16)),
    macR: random.fill(new Uint8Array(16)),
  };
}

/** From the 64 bytes that scrypt gives: encryption key, then MAC `k`, then MAC `r`. */
export function masterKeyFromBytes(bytes: Uint8Array): MasterKey {
  return {
    encrypt: bytes.slice(0, 32),
    macK: bytes.slice(32, 48),
    macR: bytes.slice(48, 64),
  };
}

/** The JSON that a key file's `data` holds. */
export function encodeMasterKey(key: MasterKey): Buffer {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return Buffer.from(
    JSON.stringify({
      mac: { k: base64(key.macK), r: base64(key.macR) },
      encrypt: base64(key.encrypt),
    }),
  );
}

export function decodeMasterKey(json: Uint8Array): MasterKey {
  let parsed: { mac?: { k?: unknown; r?: unknown } | null; encrypt?: unknown } | null;
  try {
    parsed = JSON.parse(Buffer.from(json).toString("utf8"));
  } catch {
    // The parser's message would quote the text, which is the key itself.
    throw damaged("the key file", "its decrypted content is not JSON");
  }
  const bytes = (value: unknown, length: number): Uint8Array => {
    const result = typeof value === "string" ? Buffer.from(value, "base64") : undefined;
    if (result?.length !== length) {
      throw damaged("the key file", "a key inside it has the wrong length");
    }
    return new Uint8Array(result);
  };
  return {
    encrypt: bytes(parsed?.encrypt, 32),
    macK: bytes(parsed?.mac?.k, 16),
    macR: bytes(parsed?.mac?.r, 16),
  };
}
