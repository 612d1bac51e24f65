import { writeFrom } from "@comeback/platform";

/** Holes are kept in units of this: the page size, and the block size of most file systems. */
const HOLE_BYTES = 4096;
const ZEROS: Buffer = Buffer.alloc(HOLE_BYTES);

/**
 * Writes the parts of `content` that are not zero to their place from `position` on. The caller
 * sees to the file's size. Returns the bytes written.
 */
export function writeSparse(fd: number, content: Uint8Array, position: number): number {
  let written = 0;
  let start = -1;
  let at = 0;
  while (at < content.length) {
    // Units are aligned in the file, not in the blob: only whole blocks can become holes.
    const end = Math.min(content.length, at + HOLE_BYTES - ((position + at) % HOLE_BYTES));
    if (isZero(content, at, end)) {
      if (start >= 0) written += writeFrom(fd, content, start, at - start, position + start);
      start = -1;
    } else if (start < 0) {
      start = at;
    }
    at = end;
  }
  if (start >= 0) written += writeFrom(fd, content, start, at - start, position + start);
  return written;
}

function isZero(content: Uint8Array, start: number, end: number): boolean {
  // Most blocks that are not zero show it early.
  for (let i = start; i < Math.min(end, start + 16); i++) if (content[i] !== 0) return false;
  return ZEROS.compare(content, start, end, 0, end - start) === 0;
}
