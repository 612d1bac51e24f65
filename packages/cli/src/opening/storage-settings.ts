import { badUsage } from "../options/option-error.ts";
import type { StorageOptions } from "../options/storage-options.ts";
import { factoryOf } from "./find-backend.ts";

/** The settings for one kind of storage; a name or a kind that does not exist is refused. */
export async function settingsFor(
  scheme: string,
  { settings = [], hasSeveralRepositories = false }: Partial<StorageOptions>,
): Promise<ReadonlyMap<string, string>> {
  const own = new Map<string, string>();
  for (const { scheme: named, name, value } of settings) {
    const factory = await factoryOf(named);
    const shown = `-o ${named}.${name}`;
    if (!Object.hasOwn(factory.settings, name)) {
      const names = Object.keys(factory.settings).map((known) => `${named}.${known}`);
      const next = names.length === 0 ? `${named} has no settings` : `there is ${names.join(", ")}`;
      throw badUsage(`${shown} is no setting of ${named}`, next);
    }
    if (named === scheme) own.set(name, value);
    else if (!hasSeveralRepositories) {
      throw badUsage(
        `${shown} is for ${named}, but the repository is on ${scheme}`,
        "leave it out",
      );
    }
  }
  return own;
}
