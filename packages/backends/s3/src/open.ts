import { ComebackError, ExitCode } from "@comeback/core";
import type { Backend, OpenBackendOptions } from "@comeback/core";
import { connect, findConfig } from "./connect.ts";
import type { ObjectStore } from "./object-store.ts";
import { S3Backend } from "./s3-backend.ts";

/** Opens an existing layout. */
export async function openS3(location: string, options: OpenBackendOptions = {}): Promise<Backend> {
  const store = await connect(location, options);
  try {
    const state = await findConfig(store, options.signal);
    if (state !== "there") throw noRepository(store, state === "no-bucket");
    return new S3Backend(store);
  } catch (error) {
    store.client.destroy();
    throw error;
  }
}

function noRepository(store: ObjectStore, isBucketMissing: boolean): ComebackError {
  const { bucket, host, shown } = store.location;
  return new ComebackError("repository.none", `there is no repository at ${shown}`, {
    why: isBucketMissing ? `${host} has no bucket ${bucket}` : "there is no object named config",
    next: `check the location, or make a new repository with \`comeback -r ${shown} init\``,
    exitCode: ExitCode.noRepository,
  });
}
