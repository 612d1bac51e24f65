import { ComebackError, ExitCode } from "@comeback/core";
import type { Backend, OperationOptions } from "@comeback/core";
import { RestBackend } from "./rest-backend.ts";
import type { RestServer } from "./rest-client.ts";

/** A server, and how soon its lists are right. */
export interface RestStore {
  readonly server: RestServer;
  readonly listLagMs: number;
}

/** Makes the empty layout on a server. The transport is closed with the backend, or on failure. */
export async function createRest(store: RestStore, options: OperationOptions): Promise<Backend> {
  return await closedOnFailure(store, async (backend) => {
    if (await backend.hasConfig(options.signal)) {
      throw new ComebackError(
        "repository.exists",
        `there is already a repository at ${backend.location}`,
        { next: "use it as it is, or choose another path" },
      );
    }
    await backend.makeFolders(options.signal);
  });
}

/** Opens the repository on a server. The transport is closed with the backend, or on failure. */
export async function openRest(store: RestStore, options: OperationOptions): Promise<Backend> {
  return await closedOnFailure(store, async (backend) => {
    if (await backend.hasConfig(options.signal)) return;
    throw new ComebackError("repository.none", `there is no repository at ${backend.location}`, {
      why: "the server has no file named config there",
      next: "check the path, or make a new repository with `comeback init`",
      exitCode: ExitCode.noRepository,
    });
  });
}

async function closedOnFailure(
  store: RestStore,
  prepare: (backend: RestBackend) => Promise<void>,
): Promise<Backend> {
  const backend = new RestBackend(store.server, store.listLagMs);
  try {
    await prepare(backend);
    return backend;
  } catch (error) {
    await backend[Symbol.asyncDispose]();
    throw error;
  }
}
