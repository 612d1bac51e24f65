import { cpSync } from "node:fs";
import { join } from "node:path";
import { localBackendFactory } from "@comeback/backend-local";
import type { Backend } from "@comeback/core";
import { changePassword, Repository, type ScryptCost } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { Client, PASSWORD } from "./client.ts";
import type { RunOptions } from "./run-program.ts";
import { scratchFolder } from "./scratch.ts";

/** To check a password takes most of the time of a short command, and there are thousands. */
export const QUICK_COST: ScryptCost = { N: 1024, r: 8, p: 1 };

/** A repository whose password is checked in a blink, for tests whose subject is not its key. */
export async function makeQuickRepository(folder: string): Promise<void> {
  await makeQuickRepositoryIn(await localBackendFactory.create(folder));
}

/** The same in any store, which is closed afterwards. */
export async function makeQuickRepositoryIn(
  backend: Backend,
  password: string = PASSWORD,
): Promise<void> {
  await using _ = await Repository.init({
    backend,
    password,
    clock: systemClock,
    random: systemRandom,
    scryptCost: QUICK_COST,
  });
}

/**
 * Has the client's own program make its repository, in a folder of this machine, and then puts a key
 * of the same password in place of the one that it made, which is checked in a blink.
 */
export async function initQuickly(
  client: Client,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<void> {
  await client.done(["init", ...args], options);
  await quickenKey(client.repository, client.password);
}

const templates = scratchFolder("new-repositories");
const made = new Map<string, Promise<Client>>();

/**
 * The same, but made once for each program and arguments of a test file, and copied from then on:
 * what restic does to choose the cost of a key takes it two seconds. They have one key and chunker.
 */
export async function copyNew(client: Client, args: readonly string[] = []): Promise<void> {
  const { tool, repository } = client;
  const name = [tool.name, ...args].join(" ");
  const template = await made.getOrInsertComputed(name, async () => {
    const first = new Client(tool, join(templates, name));
    await initQuickly(first, args);
    return first;
  });
  cpSync(template.repository, repository, { recursive: true });
}

/** Puts a key in place of the one that a repository in a folder has, whose check takes a blink. */
export async function quickenKey(folder: string, password: string = PASSWORD): Promise<void> {
  await using repository = await Repository.open({
    backend: await localBackendFactory.open(folder),
    password,
    clock: systemClock,
    random: systemRandom,
  });
  await changePassword(repository, { password, scryptCost: QUICK_COST });
}
