import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { restBackendFactory } from "@comeback/backend-rest";
import type { FileType, OpenBackendOptions } from "@comeback/core";
import type { BackendFixture } from "@comeback/testkit";
import { makeFolder } from "../../drivers/scratch.ts";

const FOLDERS: Readonly<Partial<Record<FileType, string>>> = {
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};

export interface RestFixtureOptions extends OpenBackendOptions {
  readonly url: string;
  /** Where the server keeps its files, if it is a folder. */
  readonly folder?: string;
}

/** An empty repository below a path of its own on a server that runs already. */
export async function restFixture(options: RestFixtureOptions): Promise<BackendFixture> {
  const { url, folder, ...rest } = options;
  const name = randomBytes(8).toString("hex");
  const location = `${url}/${name}/`;
  const backend = await restBackendFactory.create(location, rest);
  return {
    backend,
    another: () => restBackendFactory.create(location, rest),
    ...(folder === undefined ? {} : { plantForeignFile: plantIn(join(folder, name)) }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

/** Puts what is not a repository's beside its files on the server's disk. */
export function plantIn(root: string): (type: FileType) => Promise<void> {
  return async (type) => {
    const place = makeFolder(root, FOLDERS[type] ?? "", type === "pack" ? "ab" : "");
    for (const file of [`${"ab".repeat(32)}.rest-server-temp123`, "ab", "ä", "cd".repeat(31)]) {
      writeFileSync(join(place, file), "not ours");
    }
  };
}
