import { createCipheriv, createMac } from "node:crypto";
import { processFunctions } from "./native-library.ts";
import { NativeLife } from "./native-life.ts";

// Node 26 has it; its published types do not yet.
declare module "node:crypto" {
  interface Mac {
    update(data: Uint8Array): Mac;
    final(): Buffer;
  }
  function createMac(algorithm: "poly1305", key: Uint8Array): Mac;
}

/**
 * Poly1305-AES: Poly1305 under the one-time key `r ‖ AES-128_k(nonce)`. Called in OpenSSL with
 * contexts that stay, a small message costs a third of what it does through Node's objects, and
 * leaves nothing to collect.
 */
export interface Poly1305Aes extends Disposable {
  /** The 16 bytes for a message; only good until the next call. `nonce` has 16 bytes. */
  authenticate(nonce: Uint8Array, message: Uint8Array): Uint8Array;
}

const KEY_BYTES = 32;
const HALF_BYTES = 16;

const PROTOTYPES = {
  createCipher: "void *EVP_CIPHER_CTX_new()",
  freeCipher: "void EVP_CIPHER_CTX_free(void *context)",
  aes128: "void *EVP_aes_128_ecb()",
  startCipher:
    "int EVP_EncryptInit_ex(void *context, void *type, void *engine, const void *key, const void *iv)",
  encrypt:
    "int EVP_EncryptUpdate(void *context, void *target, void *written, const void *source, int size)",
  fetchMac: "void *EVP_MAC_fetch(void *library, const char *algorithm, const char *properties)",
  freeAlgorithm: "void EVP_MAC_free(void *algorithm)",
  createMac: "void *EVP_MAC_CTX_new(void *algorithm)",
  freeMac: "void EVP_MAC_CTX_free(void *context)",
  startMac: "int EVP_MAC_init(void *context, const void *key, size_t size, const void *parameters)",
  update: "int EVP_MAC_update(void *context, const void *data, size_t size)",
  finish: "int EVP_MAC_final(void *context, void *target, void *written, size_t size)",
} as const;

let library: ReturnType<typeof processFunctions<keyof typeof PROTOTYPES>> | null = null;

/** `k` is the AES key, `r` the other half of the one-time key (clamped by Poly1305 itself). */
export function createNativePoly1305Aes(k: Uint8Array, r: Uint8Array): Poly1305Aes | undefined {
  if (library === null) library = processFunctions(PROTOTYPES);
  if (library === undefined) return undefined;
  const evp = library;
  const algorithm = evp.fetchMac(null, "POLY1305", null);
  if (algorithm === null) return undefined;
  const mac = evp.createMac(algorithm);
  const cipher = evp.createCipher();
  if (evp.startCipher(cipher, evp.aes128(), null, k, null) !== 1) return undefined;
  const key = new Uint8Array(KEY_BYTES);
  key.set(r);
  const encryptedNonce = key.subarray(HALF_BYTES);
  const written = new Int32Array(1);
  const tag = new Uint8Array(HALF_BYTES);
  const life = new NativeLife("Poly1305-AES");
  return {
    authenticate(nonce, message) {
      life.assertOpen();
      if (
        nonce.length !== HALF_BYTES ||
        evp.encrypt(cipher, encryptedNonce, written, nonce, HALF_BYTES) !== 1 ||
        evp.startMac(mac, key, KEY_BYTES, null) !== 1 ||
        evp.update(mac, message, message.length) !== 1 ||
        evp.finish(mac, tag, null, HALF_BYTES) !== 1
      ) {
        throw new Error("Poly1305-AES failed");
      }
      return tag;
    },
    [Symbol.dispose]() {
      if (!life.end()) return;
      key.fill(0);
      evp.freeCipher(cipher);
      evp.freeMac(mac);
      evp.freeAlgorithm(algorithm);
    },
  };
}

/** The same through `node:crypto`. */
export function createPortablePoly1305Aes(k: Uint8Array, r: Uint8Array): Poly1305Aes {
  // One block at a time in ECB is the bare block function.
  const cipher = createCipheriv("aes-128-ecb", k, null).setAutoPadding(false);
  const key = Buffer.alloc(KEY_BYTES);
  key.set(r);
  return {
    authenticate(nonce, message) {
      if (nonce.length !== HALF_BYTES) throw new Error("Poly1305-AES failed");
      key.set(cipher.update(nonce), HALF_BYTES);
      return createMac("poly1305", key).update(message).final();
    },
    [Symbol.dispose]() {
      key.fill(0);
    },
  };
}

export function createPoly1305Aes(k: Uint8Array, r: Uint8Array): Poly1305Aes {
  return createNativePoly1305Aes(k, r) ?? createPortablePoly1305Aes(k, r);
}
