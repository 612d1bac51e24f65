import {
  type Backend,
  type BackendArchive,
  type BackendRetention,
  isComebackError,
} from "@comeback/core";

/** Packs that the hot part has can be read, wherever the cold part keeps its own copy. */
export function tieredArchive(cold: BackendArchive, hot: Backend): BackendArchive {
  return {
    tiers: (storageClass) => cold.tiers(storageClass),
    thaw: (name, options) => cold.thaw(name, options),
    async *states(names, options) {
      const hotNames = new Set<string>();
      for await (const { name } of hot.list("pack", options)) hotNames.add(name);
      for await (const pack of cold.states(names, options)) {
        yield hotNames.has(pack.name) ? { ...pack, state: "readable" as const } : pack;
      }
    },
  };
}

/** The cold part decides: what is locked there is there, and brings the hot copy back. */
export function tieredRetention(cold: BackendRetention, hot: Backend): BackendRetention {
  return {
    lockedUntilMs: (file, options) => cold.lockedUntilMs(file, options),
    async extend(file, untilMs, options) {
      await cold.extend(file, untilMs, options);
      await hot.retention?.extend(file, untilMs, options).catch((error: unknown) => {
        if (!isComebackError(error, "backend.not-found")) throw error;
      });
    },
  };
}

/** Saves go to both, and leave something in each. */
export function tieredLeftOvers(...tiers: readonly Backend[]): Backend["leftOvers"] {
  const finders = tiers.flatMap(({ leftOvers }) => (leftOvers === undefined ? [] : [leftOvers]));
  if (finders.length === 0) return undefined;
  return async (options) => (await Promise.all(finders.map((find) => find(options)))).flat();
}
