import { fileLabel } from "@comeback/core";
import type { RepositoryFile } from "@comeback/core";
import type { RestClient } from "./rest-client.ts";
import { pathOf } from "./rest-paths.ts";
import type { CallLimits } from "./stall-guard.ts";

/** Removes a file; one that is not there is removed already. */
export async function removeFile(
  client: RestClient,
  file: RepositoryFile,
  options: { readonly signal?: AbortSignal | undefined; readonly limits?: CallLimits },
): Promise<void> {
  const { signal, limits } = options;
  const wish = {
    method: "DELETE",
    path: pathOf(client.server.basePath, file),
    doing: `removing ${fileLabel(file)}`,
    signal,
    alsoAccept: [404],
    ...(limits === undefined ? {} : { limits }),
  } as const;
  await client.call(wish, (exchange) => exchange.skipBody());
}
