import { open, unlink } from "node:fs/promises";
import { type ByteString, ComebackError, displayText, nodePath } from "@comeback/core";
import { isSystemError } from "../system-error.ts";

/**
 * Writes everything into a file, which is made or overwritten. What was begun and cannot be ended
 * is removed again: a part of an archive must not be taken for all of it.
 */
export async function writeBytesTo(
  path: ByteString,
  bytes: AsyncGenerator<Uint8Array>,
): Promise<void> {
  const file = await open(nodePath(path), "w").catch((cause: unknown) => {
    throw notWritten(path, cause);
  });
  const isRegular = (await file.stat()).isFile();
  try {
    // The next piece is made while one is written.
    let writing = Promise.resolve();
    try {
      for await (const chunk of bytes) {
        await writing;
        writing = file.writeFile(chunk);
        writing.catch(() => {});
      }
      await writing;
    } finally {
      await writing.catch(() => {});
      await file.close();
    }
  } catch (error) {
    if (isRegular) await unlink(nodePath(path)).catch(() => undefined);
    throw isSystemError(error) ? notWritten(path, error) : error;
  }
}

function notWritten(path: ByteString, cause: unknown): ComebackError {
  return new ComebackError("platform.system-call", `${displayText(path)} cannot be written`, {
    next: "give --target a file in a folder that you may write to, with room for the content",
    cause,
  });
}
