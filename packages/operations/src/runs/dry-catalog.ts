import type { CatalogStore } from "@comeback/core";

/** A catalog that can be read and takes nothing in. */
export function dryCatalog(catalog: CatalogStore): CatalogStore {
  return new Proxy(catalog, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name);
      if (typeof own !== "function") return own;
      const isWrite = /^(?:save|append|mark|record|remove)/.test(String(name));
      return isWrite ? async () => undefined : own.bind(target);
    },
  });
}
