import { ComebackError, fileLabel, fileNotFound } from "@comeback/core";
import type { RepositoryFile } from "@comeback/core";
import type { RestClient } from "./rest-client.ts";
import { pathOf } from "./rest-paths.ts";
import type { CallLimits } from "./stall-guard.ts";

/** The size of a file, or undefined where there is none. */
export async function findSize(
  client: RestClient,
  file: RepositoryFile,
  options: { readonly signal?: AbortSignal | undefined; readonly limits?: CallLimits },
): Promise<number | undefined> {
  const { signal, limits } = options;
  const doing = `looking up ${fileLabel(file)}`;
  const wish = {
    method: "HEAD",
    path: pathOf(client.server.basePath, file),
    doing,
    signal,
    alsoAccept: [404],
    ...(limits === undefined ? {} : { limits }),
  } as const;
  return await client.call(wish, async (exchange) => {
    const { answer } = exchange;
    const length = answer.header("content-length");
    await exchange.skipBody();
    if (answer.status === 404) return undefined;
    if (length !== undefined && /^\d{1,15}$/.test(length)) return Number(length);
    throw new ComebackError("backend.misconfigured", `${doing} tells no size`, {
      why: `${client.server.name} does not say how long the file is`,
      next: "check the proxy between: it must not compress what it passes on",
    });
  });
}

/** The size of a file, or `backend.not-found`. */
export async function fileSize(
  client: RestClient,
  file: RepositoryFile,
  signal: AbortSignal | undefined,
): Promise<number> {
  const sizeBytes = await findSize(client, file, { signal });
  if (sizeBytes === undefined) throw fileNotFound(file, client.server.location);
  return sizeBytes;
}
