import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import { Client } from "../drivers/client.ts";
import type { Tool } from "../drivers/tools.ts";

/** A program on a repository in Azure, with what it needs to get there in its environment. */
export class AzureClient extends Client {
  readonly #env: Readonly<Record<string, string>>;

  constructor(tool: Tool, repository: string, env: Readonly<Record<string, string>>) {
    super(tool, repository);
    this.#env = env;
  }

  override get environment(): Record<string, string | undefined> {
    return { ...super.environment, ...this.#env };
  }
}

/** Every blob below a prefix, as a file: for programs that cannot read the container themselves. */
export async function copyBlobs(
  container: ContainerClient,
  prefix: string,
  folder: string,
): Promise<number> {
  let count = 0;
  for await (const { name } of container.listBlobsFlat({ prefix })) {
    const path = join(folder, name.slice(prefix.length));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await container.getBlobClient(name).downloadToBuffer());
    count++;
  }
  return count;
}
