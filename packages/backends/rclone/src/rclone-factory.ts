import { createRest, openRest } from "@comeback/backend-rest";
import type { RestStore } from "@comeback/backend-rest";
import { REST_CALL_MS, REST_IDLE_MS } from "@comeback/core";
import type { BackendFactory, OpenBackendOptions } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { parseRcloneLocation } from "./rclone-location.ts";
import { parseRcloneSettings, RCLONE_SETTINGS } from "./rclone-settings.ts";
import { removeEmptyFolders } from "./remove-empty-folders.ts";
import { RcloneTransport } from "./rclone-transport.ts";

/** Repositories wherever rclone gets to: `rclone:remote:path`. */
export const rcloneBackendFactory: BackendFactory = {
  scheme: "rclone",
  settings: RCLONE_SETTINGS,
  async create(location, options = {}) {
    return await createRest(rcloneStore(location, options), options);
  },
  async open(location, options = {}) {
    return await openRest(rcloneStore(location, options), options);
  },
  removeEmpty: (location, options) => removeEmptyFolders(location, options),
};

/** An rclone for a location; it is started by the first call. */
function rcloneStore(location: string, options: OpenBackendOptions): RestStore {
  const { remote, shown } = parseRcloneLocation(location);
  const settings = parseRcloneSettings(options.settings);
  const { program, connections, startMs, listLagMs } = settings;
  const clock = options.clock ?? systemClock;
  const args = [...settings.args, remote];
  const env = options.env ?? process.env;
  const transport = new RcloneTransport({ program, args, shown, env, clock });
  return {
    server: {
      transport,
      basePath: "/",
      name: "rclone",
      location: shown,
      connections,
      clock,
      limits: { connectMs: startMs, idleMs: REST_IDLE_MS, callMs: REST_CALL_MS },
      explain: () => transport.lastMessage,
    },
    listLagMs,
  };
}
