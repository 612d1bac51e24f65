import { processFunctions } from "./native-library.ts";

/** mallopt(3): allocations from this size on are mapped on their own. */
const M_MMAP_THRESHOLD = -3;
const MMAP_THRESHOLD_BYTES = 256 * 1024;

/**
 * Makes the C library give large buffers back to the system the moment they are freed. Left alone,
 * glibc raises its threshold with the first large buffer that is freed and keeps all later ones in
 * its heap: a backup's packs then cost twice their memory, and are zeroed by hand. A program calls
 * this once, at its start; it does nothing where the C library has no such setting.
 */
export function releaseLargeBuffersEarly(): void {
  const libc = processFunctions({ mallopt: "int mallopt(int parameter, int value)" });
  libc?.mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
}
