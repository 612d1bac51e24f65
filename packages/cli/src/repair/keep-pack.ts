import { open, readFile, rename } from "node:fs/promises";
import { ComebackError } from "@comeback/core";

/**
 * Writes a damaged pack into the working folder under restic's name for it, durably. One that lies
 * there already has to be the same: it may be all that an interrupted repair has left. It gets its
 * name once it is complete: half a pack under that name would stand in the way of the next repair.
 */
export async function keepPack(packId: string, data: Uint8Array): Promise<void> {
  const path = `pack-${packId}`;
  const kept = await readIfThere(path);
  if (kept !== undefined) {
    if (Buffer.compare(kept, data) === 0) return;
    throw new ComebackError("repair.incomplete", `${path} is in the working folder already`, {
      why: "it holds something else, and is not overwritten",
      next: "move it away, or run the command in another folder",
    });
  }
  // Under the exclusive lock of a repair nobody else writes it.
  const part = `${path}.part`;
  {
    await using file = await open(part, "w", 0o600);
    await file.writeFile(data);
    await file.sync();
  }
  await rename(part, path);
  await using folder = await open(".", "r");
  // Some network file systems cannot: what they keep is up to them.
  await folder.sync().catch(() => undefined);
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
