import type { CatalogStore } from "@comeback/core";

/** A catalog that cannot be opened: whatever is asked of it fails for that reason. */
export function unusableCatalog(reason: unknown): CatalogStore {
  return standIn(() => Promise.reject(reason));
}

/** A catalog in which nothing is written yet, for those who only look. */
export function emptyCatalog(): CatalogStore {
  return standIn((name) => Promise.resolve(/^list|^planStates/.test(name) ? [] : undefined));
}

function standIn(answer: (name: string) => Promise<unknown>): CatalogStore {
  return new Proxy({} as CatalogStore, {
    get: (_, name) => {
      // Whoever is awaited is asked for this: it is no promise.
      if (name === "then") return undefined;
      return typeof name === "symbol" ? () => Promise.resolve() : () => answer(name);
    },
  });
}
