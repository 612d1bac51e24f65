import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sftpBackendFactory } from "@comeback/backend-sftp";
import type { Backend, FileType, OpenBackendOptions } from "@comeback/core";
import type { BackendFixture } from "@comeback/testkit";
import { makeFolder, memoryFolder } from "../../drivers/scratch.ts";
import { SshServer } from "../../services/openssh/ssh-server.ts";
import { SshUser } from "../../services/openssh/ssh-user.ts";

const FOLDERS: Readonly<Record<FileType, string>> = {
  config: ".",
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data/ab",
};

/** A server, and a user whom it knows as `backup`. */
export interface SshPlace {
  readonly folder: string;
  readonly server: SshServer;
  readonly user: SshUser;
  readonly options: OpenBackendOptions;
}

export async function startPlace(name: string, config: readonly string[] = []): Promise<SshPlace> {
  const folder = memoryFolder(name);
  const server = await SshServer.start({ folder: join(folder, "server"), config });
  const user = new SshUser(join(folder, "user"));
  server.allow(user.publicKey);
  user.trust(server);
  user.addHost("backup", server);
  return { folder, server, user, options: optionsOf(user) };
}

export function optionsOf(user: SshUser): OpenBackendOptions {
  return { env: { ...process.env, ...user.environment } };
}

let stores = 0;

/** An empty layout on the server, for the conformance suite. */
export async function sftpFixture(
  place: SshPlace,
): Promise<BackendFixture & { readonly root: string; another(): Promise<Backend> }> {
  const root = join(makeFolder(place.folder, "stores"), String(stores++));
  const location = `sftp:backup:${root}`;
  const backend = await sftpBackendFactory.create(location, place.options);
  return {
    backend,
    root,
    another: () => sftpBackendFactory.create(location, place.options),
    async plantForeignFile(type) {
      const folder = join(root, FOLDERS[type]);
      for (const name of [`${"ab".repeat(32)}-tmp-123`, ".nfs0001", "ab", "ä"]) {
        writeFileSync(join(folder, name), "not ours");
      }
      writeFileSync(join(folder, "cd".repeat(31)), "too short a name");
      if (type === "pack") writeFileSync(join(folder, "cd".repeat(32)), "in the wrong folder");
    },
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
