import type { OperationOptions } from "@comeback/core";
import { whyUnusable } from "../check/problem-log.ts";
import type { Repository } from "../repository/repository.ts";

/** A blob that the first reading did not give: once more, and from every other pack that holds it. */
export async function readAgain(
  source: Repository,
  entry: number,
  options: OperationOptions,
): Promise<{ plaintext: Uint8Array } | { why: string }> {
  const { table } = source.index;
  try {
    const type = table.typeOf(entry);
    return { plaintext: await source.loadBlob(type, table.idOf(entry), options) };
  } catch (error) {
    return { why: await whyUnusable(error, source.backend, options) };
  }
}
