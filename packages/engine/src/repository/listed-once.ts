import type { Backend, FileType, ListedFile, OperationOptions } from "@comeback/core";

/**
 * A backend whose lists name each file once, whatever the store says. Stores that hand out lists in
 * pages, or that allow two objects of one name, sometimes repeat one; whoever then takes the second
 * for a superfluous copy of the first removes the only one there is.
 */
export function listedOnce(inner: Backend): Backend {
  const { location, connections, isRemote, listLagMs, archive, retention, leftOvers } = inner;
  return {
    location,
    connections,
    isRemote,
    listLagMs,
    archive,
    retention,
    leftOvers,
    get isCreateAtomic() {
      return inner.isCreateAtomic;
    },
    save: (file, data, options) => inner.save(file, data, options),
    load: (file, options) => inner.load(file, options),
    stat: (file, options) => inner.stat(file, options),
    remove: (file, options) => inner.remove(file, options),
    list: (type, options) => listOnce(inner, type, options),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

async function* listOnce(
  inner: Backend,
  type: FileType,
  options: OperationOptions | undefined,
): AsyncGenerator<ListedFile> {
  const seen = new Set<string>();
  for await (const file of inner.list(type, options)) {
    if (seen.has(file.name)) continue;
    seen.add(file.name);
    yield file;
  }
}
