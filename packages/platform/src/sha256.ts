import { hash } from "node:crypto";
import { processFunctions } from "./native-library.ts";

const SHA256_BYTES = 32;

const PROTOTYPES = {
  sha256: "void *SHA256(const void *data, size_t size, void *target)",
} as const;

let library: ReturnType<typeof processFunctions<keyof typeof PROTOTYPES>> | null = null;

/**
 * Puts the SHA-256 of `data` into `target` (32 bytes). For very many small pieces of data: it makes
 * no object, where `node:crypto` makes a buffer at every call.
 */
export function sha256Into(data: Uint8Array, target: Uint8Array): void {
  if (target.length !== SHA256_BYTES) throw new Error("a SHA-256 hash has 32 bytes");
  if (library === null) library = processFunctions(PROTOTYPES);
  if (library === undefined) target.set(hash("sha256", data, "buffer"));
  else library.sha256(data, data.length, target);
}
