import { randomUUID } from "node:crypto";
import type { FileType, OpenBackendOptions } from "@comeback/core";
import { startS3StandIn } from "@comeback/testkit";
import type { BackendFixture, S3StandIn, S3StandInOptions } from "@comeback/testkit";
import type { S3Tuning } from "../src/connect.ts";
import { createS3 } from "../src/create.ts";
import { keyOf } from "../src/layout.ts";

export const ENV: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: "key-of-a-test",
  AWS_SECRET_ACCESS_KEY: "secret-of-a-test",
};

export const BUCKET = "bucket";
export const PREFIX = "some/where";

export interface StandInFixture extends BackendFixture {
  readonly store: S3StandIn;
  readonly location: string;
}

/** An empty repository in a stand-in of its own. */
export async function standInFixture(
  options: {
    readonly store?: S3StandInOptions;
    readonly open?: OpenBackendOptions;
    readonly tuning?: S3Tuning;
  } = {},
): Promise<StandInFixture> {
  const store = await startS3StandIn(options.store);
  const location = `s3:${store.endpoint}/${BUCKET}/${PREFIX}`;
  const make = (): ReturnType<typeof createS3> =>
    createS3(location, { env: ENV, ...options.open }, options.tuning);
  const backend = await make();
  return {
    store,
    location,
    backend,
    another: make,
    plantForeignFile: async (type: FileType) => {
      const name = randomUUID();
      const key = keyOf(PREFIX, { type, name: type === "config" ? "" : "0".repeat(64) });
      const foreign = `${key.slice(0, key.lastIndexOf("/") + 1)}${name}`;
      const url = `${store.endpoint}/${BUCKET}/${foreign}`;
      await fetch(url, { method: "PUT", body: "not ours" });
    },
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
