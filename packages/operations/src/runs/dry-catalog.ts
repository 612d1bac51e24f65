import type { CatalogStore } from "@comeback/core";

/** A catalog that can be read and takes nothing in. Closing it is left to whoever opened it. */
export function dryCatalog<T extends object = CatalogStore>(catalog: T): T {
  return new Proxy(catalog, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name);
      if (typeof own !== "function") return own;
      if (name === "forHost") return (host: string) => dryCatalog(own.call(target, host) as object);
      const isWrite = typeof name === "symbol" || /^(?:save|append|mark|record|remove)/.test(name);
      return isWrite ? () => Promise.resolve() : own.bind(target);
    },
  });
}
