import { LIST_LAG_DEFAULT_MS } from "@comeback/core";
import type { BackendFactory, Clock, OpenBackendOptions } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { createRest, openRest } from "./open-store.ts";
import type { RestStore } from "./open-store.ts";
import { openTransport } from "./open-transport.ts";
import { parseRestLocation } from "./rest-location.ts";
import { parseConnections, parseSwitch } from "./rest-settings.ts";
import { CALL_LIMITS } from "./stall-guard.ts";
import type { CallLimits } from "./stall-guard.ts";
import { readTlsOptions } from "./tls-options.ts";

/** Repositories on a server that speaks restic's REST protocol: rest-server, rclone. */
export const restBackendFactory: BackendFactory = {
  scheme: "rest",
  settings: {
    connections: "how many calls the server gets at once (default: 5)",
    http2: "speak HTTP/2 where an https server offers it: true or false (default: false)",
  },
  async create(location, options = {}) {
    return await createRest(await restStore(location, options), options);
  },
  async open(location, options = {}) {
    return await openRest(await restStore(location, options), options);
  },
};

/** The server that a URL names, not yet connected to. */
export async function restStore(
  location: string,
  options: OpenBackendOptions,
  limits: CallLimits = CALL_LIMITS,
): Promise<RestStore> {
  const { env = process.env, settings, tls: tlsSettings, signal } = options;
  signal?.throwIfAborted();
  const { place, basePath, server, shown, authorization } = parseRestLocation(location, env);
  const connections = parseConnections("rest", settings?.get("connections"));
  const wantsHttp2 = parseSwitch("rest.http2", settings?.get("http2"));
  const tls = place.isTls ? await readTlsOptions(tlsSettings) : { rejectUnauthorized: true };
  const clock: Clock = options.clock ?? systemClock;
  const transport = openTransport(place, { tls, wantsHttp2 });
  return {
    server: {
      transport,
      basePath,
      name: server,
      location: shown,
      authorization,
      connections,
      clock,
      limits,
    },
    listLagMs: LIST_LAG_DEFAULT_MS,
  };
}
