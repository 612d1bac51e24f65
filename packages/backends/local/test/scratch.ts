import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileType } from "@comeback/core";
import type { BackendFixture } from "@comeback/testkit";
import { nodeFileSystem } from "../src/file-system.ts";
import type { FileSystem } from "../src/file-system.ts";
import { typeFolder } from "../src/layout.ts";
import { LocalBackend } from "../src/local-backend.ts";
import { createLocal } from "../src/local-factory.ts";

/** A folder for one test. */
export async function scratchFolder(
  parent: string = tmpdir(),
): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(parent, "comeback-local-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** An empty layout in a fresh folder, for the conformance suite. */
export async function localFixture(
  fileSystem: FileSystem = nodeFileSystem,
  parent: string = tmpdir(),
): Promise<BackendFixture & { root: string }> {
  const folder = await scratchFolder(parent);
  const root = join(folder.path, "repository");
  const backend = await createLocal(root, {}, fileSystem);
  return {
    backend,
    root,
    another: () => LocalBackend.open(root, fileSystem),
    async plantForeignFile(type: FileType) {
      const place = type === "pack" ? join(typeFolder(root, type), "ab") : typeFolder(root, type);
      for (const name of [`${"ab".repeat(32)}-tmp-123`, ".nfs0001", "ab", "ä"]) {
        await writeFile(join(place, name), "not ours");
      }
      await writeFile(join(place, "cd".repeat(31)), "too short a name");
      if (type === "pack") await writeFile(join(place, "cd".repeat(32)), "in the wrong folder");
    },
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
