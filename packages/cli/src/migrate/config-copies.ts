import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Backend, ComebackError, messageOf } from "@comeback/core";
import { isFolderLocation } from "../opening/find-backend.ts";
import { redactLocation } from "../opening/redact-location.ts";
import type { ConfigKeeper } from "@comeback/engine";

/** What tells whether a copy belongs to a repository that has no config to ask. */
interface About {
  readonly location: string;
  /** Key files' names are hashes of what no two repositories have in common. */
  readonly keys: readonly string[];
}

/** A config that was kept while its repository's own was replaced. */
export interface ConfigCopy {
  /** The very file. */
  readonly path: string;
  readonly about: About;
}

/** Not the temporary folder, which a restart may empty, nor the cache, which cleans itself. */
export function configCopyFolder(env: NodeJS.ProcessEnv): string {
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local/state");
  return join(state, "comeback", "config-copies");
}

/** Keeps the config of one repository below `folder`. */
export function configKeeper(folder: string, backend: Backend, repositoryId: string): ConfigKeeper {
  const place = join(folder, repositoryId);
  return {
    async keep(config) {
      const keys = (await Array.fromAsync(backend.list("key"))).map(({ name }) => name);
      const about: About = { location: locationKey(backend.location), keys };
      try {
        const firstMade = await mkdir(place, { recursive: true, mode: 0o700 });
        await writeDurably(join(place, "about.json"), Buffer.from(JSON.stringify(about)));
        // Last: where there is this file, there is all that belongs to it.
        await writeDurably(join(place, "config"), config);
        await syncFolders(place, dirname(firstMade ?? place));
      } catch (cause) {
        throw new ComebackError("migration.failed", "the config file cannot be copied", {
          why: `${place}: ${messageOf(cause)}; without a copy it is not replaced`,
          next: "make room there, or set XDG_STATE_HOME to a folder that you may write to",
          cause,
        });
      }
      return join(place, "config");
    },
    async drop() {
      await rm(place, { recursive: true, force: true });
    },
  };
}

/** The copy of the config that a repository at this location once had. */
export async function findConfigCopy(
  env: NodeJS.ProcessEnv,
  location: string,
): Promise<ConfigCopy | undefined> {
  const folder = configCopyFolder(env);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name, "config");
    try {
      await readFile(path);
      const text = await readFile(join(folder, name, "about.json"), "utf8");
      const about = JSON.parse(text) as About;
      if (about.location === locationKey(location)) return { path, about };
    } catch {
      // Half a copy: its config was never touched.
    }
  }
  return undefined;
}

/** The same for a location as it is given and as its backend tells it. */
function locationKey(location: string): string {
  if (!isFolderLocation(location)) return redactLocation(location);
  return resolve(location.replace(/^local:/, ""));
}

async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  {
    await using handle = await open(temporary, "w", 0o600);
    await handle.writeFile(content);
    await handle.sync();
  }
  await rename(temporary, path);
}

/** Folders that were made have to be there after a power cut as well: from the lowest up. */
async function syncFolders(lowest: string, highest: string): Promise<void> {
  for (let folder = lowest; ; folder = dirname(folder)) {
    await using handle = await open(folder, "r");
    await handle.sync();
    if (folder === highest || folder === dirname(folder)) return;
  }
}
