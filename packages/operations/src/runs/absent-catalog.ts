import type { CatalogStore } from "@comeback/core";

/** A catalog that cannot be opened: whatever is asked of it fails for that reason. */
export function unusableCatalog(host: string, reason: unknown): CatalogStore {
  return standIn(host, () => Promise.reject(reason));
}

/** A catalog in which nothing is written yet, for those who only look. */
export function emptyCatalog(host: string): CatalogStore {
  return standIn(host, (name) => Promise.resolve(/^list|^planStates/.test(name) ? [] : undefined));
}

function standIn(host: string, answer: (name: string) => Promise<unknown>): CatalogStore {
  return new Proxy({} as CatalogStore, {
    get: (_, name) => {
      // Whoever is awaited is asked for this: it is no promise.
      if (name === "then") return undefined;
      if (name === "host") return host;
      if (name === "forHost") return (other: string) => standIn(other, answer);
      return typeof name === "symbol" ? () => Promise.resolve() : () => answer(name);
    },
  });
}
