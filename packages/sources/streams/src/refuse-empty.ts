import { ComebackError } from "@comeback/core";

/**
 * Passes on what comes, and rejects with `backup.no-source` where nothing does: a dump that failed
 * before its first byte must not become an empty file.
 */
export async function* refuseEmpty(
  chunks: AsyncIterable<Uint8Array>,
  origin: string,
): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    isEmpty = false;
    yield chunk;
  }
  if (!isEmpty) return;
  throw new ComebackError("backup.no-source", `${origin} gave no data`, {
    why: "it ended before the first byte",
    next: "look at the program that should have written it; no snapshot was made",
  });
}
