import { open, readFile } from "node:fs/promises";
import { ComebackError } from "@comeback/core";

/**
 * Writes a damaged pack into the working folder under restic's name for it, durably. One that lies
 * there already has to be the same: it may be all that an interrupted repair has left.
 */
export async function keepPack(packId: string, data: Uint8Array): Promise<void> {
  const path = `pack-${packId}`;
  try {
    await using file = await open(path, "wx", 0o600);
    await file.writeFile(data);
    await file.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (Buffer.compare(await readFile(path), data) === 0) return;
    throw new ComebackError("repair.incomplete", `${path} is in the working folder already`, {
      why: "it holds something else, and is not overwritten",
      next: "move it away, or run the command in another folder",
    });
  }
}
