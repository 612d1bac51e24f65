import { readFileSync, rmSync, writeFileSync } from "node:fs";

export type DamageName = "one bit flipped" | "cut in half" | "emptied" | "removed";

/** Ways in which a file of a repository gets damaged. */
export const DAMAGES: Readonly<Record<DamageName, (path: string) => void>> = {
  "one bit flipped": (path) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 0x10;
    overwrite(path, bytes);
  },
  "cut in half": (path) => {
    const bytes = readFileSync(path);
    overwrite(path, bytes.subarray(0, bytes.length >> 1));
  },
  emptied: (path) => overwrite(path, new Uint8Array(0)),
  removed: (path) => rmSync(path),
};

/** As a new file: others may share the bytes of the old one by a hard link. */
export function overwrite(path: string, bytes: Uint8Array): void {
  rmSync(path);
  writeFileSync(path, bytes, { mode: 0o400 });
}
