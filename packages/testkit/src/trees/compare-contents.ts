import { close, O_NOFOLLOW, O_RDONLY, openAt, readInto } from "@comeback/platform";
import type { Place } from "./place.ts";

const BUFFER_BYTES = 1024 * 1024;
const buffers: readonly [Buffer, Buffer] = [Buffer.alloc(BUFFER_BYTES), Buffer.alloc(BUFFER_BYTES)];

export interface DifferentByte {
  readonly offset: number;
  readonly first: string;
  readonly second: string;
}

/** Where two files differ first; one that ends there is said to have "the end". */
export function firstDifferentByte(a: Place, b: Place): DifferentByte | undefined {
  const first = openAt(a.dirFd, a.name, O_RDONLY | O_NOFOLLOW);
  try {
    const second = openAt(b.dirFd, b.name, O_RDONLY | O_NOFOLLOW);
    try {
      return compare(first, second);
    } finally {
      close(second);
    }
  } finally {
    close(first);
  }
}

function compare(first: number, second: number): DifferentByte | undefined {
  const [a, b] = buffers;
  for (let offset = 0; ;) {
    const [lengthA, lengthB] = [fill(first, a, offset), fill(second, b, offset)];
    const common = Math.min(lengthA, lengthB);
    if (a.compare(b, 0, common, 0, common) !== 0) {
      let at = 0;
      while (a[at] === b[at]) at++;
      return { offset: offset + at, first: hex(a[at]), second: hex(b[at]) };
    }
    if (lengthA !== lengthB) {
      const [atA, atB] = [a, b].map((from, i) =>
        common < [lengthA, lengthB][i]! ? hex(from[common]) : "the end",
      );
      return { offset: offset + common, first: atA ?? "", second: atB ?? "" };
    }
    if (lengthA === 0) return undefined;
    offset += lengthA;
  }
}

function fill(fd: number, buffer: Buffer, position: number): number {
  let done = 0;
  while (done < buffer.byteLength) {
    const read = readInto(fd, buffer, done, buffer.byteLength - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

function hex(byte: number | undefined): string {
  return `0x${(byte ?? 0).toString(16).padStart(2, "0")}`;
}
