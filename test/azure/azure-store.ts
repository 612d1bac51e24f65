import { randomBytes } from "node:crypto";
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { azureBackendFactory } from "@comeback/backend-azure";
import type { Backend, FileType, OpenBackendOptions } from "@comeback/core";
import type { BackendFixture } from "@comeback/testkit";
import type { Azurite } from "../services/azurite/azurite.ts";

/** A new container's name: tests do not see each other. */
export function newContainer(): string {
  return `t${randomBytes(8).toString("hex")}`;
}

export function openOptions(azurite: Azurite, more: OpenBackendOptions = {}): OpenBackendOptions {
  const { env, settings = new Map(), ...rest } = more;
  return {
    env: env ?? azurite.environment,
    settings: new Map([["endpoint", azurite.endpoint], ...settings]),
    ...rest,
  };
}

/** The container as the test sees it, past the backend. */
export function containerOf(azurite: Azurite, container: string): ContainerClient {
  const { name, key } = azurite.account;
  const credential = new StorageSharedKeyCredential(name, key);
  return new ContainerClient(`${azurite.endpoint}/${container}`, credential);
}

/** An empty store and clients of it, for the conformance suite. */
export async function azureFixture(azurite: Azurite): Promise<BackendFixture> {
  const container = newContainer();
  const location = `azure:${container}:/some/path`;
  const open = (): Promise<Backend> => azureBackendFactory.create(location, openOptions(azurite));
  const backend = await open();
  return {
    backend,
    another: open,
    plantForeignFile: (type) => plantForeign(containerOf(azurite, container), type),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

const FOLDERS = { key: "keys", lock: "locks", snapshot: "snapshots", index: "index", pack: "data" };

async function plantForeign(container: ContainerClient, type: FileType): Promise<void> {
  const folder = type === "config" ? "" : `${FOLDERS[type]}/`;
  const good = "ab".repeat(32);
  const names = ["ab", "ä", `${good}-tmp`, `${good}/below`, "cd".repeat(31)];
  if (type === "pack") names.push(good, `cd/${good}`, `ab/${good}.tmp`);
  for (const name of names) {
    await container.getBlockBlobClient(`some/path/${folder}${name}`).upload("not ours", 8);
  }
  // Beside the repository, and of another one.
  for (const place of ["", "some/", "some/path2/", "some/path/deeper/"]) {
    await container.getBlockBlobClient(`${place}${folder}ab/${good}`).upload("not ours", 8);
  }
}
