import { createCipheriv } from "node:crypto";
import { processFunctions } from "./native-library.ts";
import { NativeLife } from "./native-life.ts";

/**
 * AES as the repository format needs it: CTR with a fresh IV for every box, and single blocks for
 * the one-time MAC key. With the key schedule kept in one context a call costs a fifth of
 * `createCipheriv`, which matters at 80,000 small blobs.
 */
export interface AesCtr extends Disposable {
  /** Encrypts or decrypts (the same in CTR mode). `target` may be `source` itself. */
  apply(iv: Uint8Array, source: Uint8Array, target: Uint8Array): void;
}

const PROTOTYPES = {
  createContext: "void *EVP_CIPHER_CTX_new()",
  freeContext: "void EVP_CIPHER_CTX_free(void *context)",
  aes256Ctr: "void *EVP_aes_256_ctr()",
  initialise:
    "int EVP_EncryptInit_ex(void *context, void *type, void *engine, const void *key, const void *iv)",
  update:
    "int EVP_EncryptUpdate(void *context, void *target, void *written, const void *source, int size)",
} as const;

let library: ReturnType<typeof processFunctions<keyof typeof PROTOTYPES>> | null = null;

export function createNativeAesCtr(key: Uint8Array): AesCtr | undefined {
  if (library === null) library = processFunctions(PROTOTYPES);
  if (library === undefined) return undefined;
  const evp = library;
  const context = evp.createContext();
  if (evp.initialise(context, evp.aes256Ctr(), null, key, null) !== 1) return undefined;
  const written = new Int32Array(1);
  const life = new NativeLife("AES-256-CTR");
  return {
    apply(iv, source, target) {
      life.assertOpen();
      const size = source.length;
      if (
        iv.length !== 16 ||
        target.length < size ||
        evp.initialise(context, null, null, null, iv) !== 1 ||
        (size > 0 && evp.update(context, target, written, source, size) !== 1) ||
        (size > 0 && written[0] !== size)
      ) {
        throw new Error("AES-256-CTR failed");
      }
    },
    [Symbol.dispose]() {
      if (life.end()) evp.freeContext(context);
    },
  };
}

export function createPortableAesCtr(key: Uint8Array): AesCtr {
  const ownKey = Buffer.from(key);
  return {
    apply(iv, source, target) {
      target.set(createCipheriv("aes-256-ctr", ownKey, iv).update(source));
    },
    [Symbol.dispose]() {
      ownKey.fill(0);
    },
  };
}

export function createAesCtr(key: Uint8Array): AesCtr {
  return createNativeAesCtr(key) ?? createPortableAesCtr(key);
}
