import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { rcloneBackendFactory } from "@comeback/backend-rclone";
import type { BackendFixture } from "@comeback/testkit";
import type { RcloneConfig } from "../../services/rclone/rclone-config.ts";
import { plantIn } from "../rest/rest-fixture.ts";

/** An empty repository in a folder of its own on a remote; each client has an rclone of its own. */
export async function rcloneFixture(
  config: RcloneConfig,
  remote: "whole" | "secret",
): Promise<BackendFixture> {
  const name = randomBytes(8).toString("hex");
  const location = `rclone:${remote}:${name}`;
  const env = { ...process.env, ...config.env };
  const backend = await rcloneBackendFactory.create(location, { env });
  return {
    backend,
    another: () => rcloneBackendFactory.create(location, { env }),
    ...(remote === "secret" ? {} : { plantForeignFile: plantIn(join(config.root, name)) }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
