import type { OperationOptions } from "@comeback/core";
import { ComebackError, damaged, displayText, READ_AHEAD_BLOBS } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { TreeNode } from "../tree/types.ts";

/**
 * The content of a file, blob by blob, each verified against its id before it is given out. A few
 * blobs are fetched ahead. Whoever stops early leaves nothing behind.
 */
export async function* readFile(
  repository: Repository,
  node: TreeNode,
  options: OperationOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  if (node.type !== "file") {
    throw new ComebackError("option.invalid", `${displayText(node.name)} is not a file`);
  }
  const { content } = node;
  if (!Array.isArray(content)) {
    throw damaged(`file ${displayText(node.name)}`, "its entry has no list of blobs");
  }
  const ids: readonly string[] = content;
  const stop = new AbortController();
  const signals = options.signal === undefined ? [] : [options.signal];
  const signal = AbortSignal.any([stop.signal, ...signals]);
  const ahead: Promise<Uint8Array<ArrayBuffer>>[] = [];
  let next = 0;
  try {
    while (next < ids.length || ahead.length > 0) {
      while (ahead.length < READ_AHEAD_BLOBS && next < ids.length) {
        const blob = repository.loadBlob("data", ids[next++] as string, { signal });
        // Awaited in its turn; until then its failure must not count as forgotten.
        blob.catch(() => {});
        ahead.push(blob);
      }
      yield await (ahead.shift() as Promise<Uint8Array<ArrayBuffer>>);
    }
  } finally {
    stop.abort();
    await Promise.allSettled(ahead);
  }
}
