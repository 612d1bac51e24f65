import type { Backend, ListedFile, OperationOptions } from "@comeback/core";

/**
 * Thrown where packs went while a check was under way, because a prune beside it no longer needed
 * them: what the index said then is not what it says now, and the check begins anew.
 */
export class RepositoryChanged extends Error {}

/** Whether index files are gone since they were loaded: then others stand in for them. */
export async function isIndexReplaced(
  backend: Backend,
  loaded: readonly ListedFile[],
  options: OperationOptions,
): Promise<boolean> {
  const there = new Set<string>();
  for await (const { name } of backend.list("index", options)) there.add(name);
  return loaded.some(({ name }) => !there.has(name));
}
