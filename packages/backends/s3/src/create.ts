import { CreateBucketCommand, GetObjectLockConfigurationCommand } from "@aws-sdk/client-s3";
import type { BucketLocationConstraint } from "@aws-sdk/client-s3";
import { ComebackError } from "@comeback/core";
import type { Backend, OpenBackendOptions } from "@comeback/core";
import { proveWithProbe } from "./conditional-put.ts";
import { connect, findConfig } from "./connect.ts";
import type { S3Tuning } from "./connect.ts";
import { sending } from "./load-object.ts";
import { operationOf } from "./object-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { S3Backend } from "./s3-backend.ts";
import { s3Error, serviceCode, statusOf } from "./s3-errors.ts";

/** Makes the bucket where it is missing; an object store has no folders that had to be made. */
export async function createS3(
  location: string,
  options: OpenBackendOptions = {},
  tuning: S3Tuning = {},
): Promise<Backend> {
  const { signal } = options;
  const store = await connect(location, options, tuning);
  try {
    const state = await findConfig(store, signal);
    if (state === "there") throw alreadyThere(store);
    if (state === "no-bucket") {
      await step(store, signal, ["making the bucket", "s3:CreateBucket"], makeBucket);
    } else if (store.settings.objectLock !== undefined) {
      const what = ["looking up Object Lock", "s3:GetBucketObjectLockConfiguration"] as const;
      await step(store, signal, what, assertLockable);
    }
    if (store.conditionalPut === "unknown") {
      await step(store, signal, ["writing a first file", "s3:PutObject"], proveWithProbe);
    }
    return new S3Backend(store);
  } catch (error) {
    store.client.destroy();
    throw error;
  }
}

function alreadyThere(store: ObjectStore): ComebackError {
  return new ComebackError(
    "repository.exists",
    `there is a repository at ${store.location.shown}`,
    {
      next: "use it as it is, or choose another bucket or prefix",
    },
  );
}

async function step(
  store: ObjectStore,
  signal: AbortSignal | undefined,
  [doing, action]: readonly [string, string],
  perform: (store: ObjectStore, signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  try {
    await perform(store, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw s3Error(operationOf(store, doing, action), error);
  }
}

async function makeBucket(store: ObjectStore, signal: AbortSignal | undefined): Promise<void> {
  const { region } = store.endpoint;
  const command = new CreateBucketCommand({
    Bucket: store.location.bucket,
    // Amazon's first region must not be named.
    ...(region === "us-east-1"
      ? {}
      : {
          CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
        }),
    ...(store.settings.objectLock === undefined ? {} : { ObjectLockEnabledForBucket: true }),
  });
  try {
    await store.client.send(command, sending(signal));
  } catch (error) {
    // Made by another meanwhile, in the same account.
    if (serviceCode(error) !== "BucketAlreadyOwnedByYou") throw error;
  }
}

/** A lock that is asked for and not kept would be a promise broken in silence. */
async function assertLockable(store: ObjectStore, signal: AbortSignal | undefined): Promise<void> {
  const { bucket } = store.location;
  try {
    const command = new GetObjectLockConfigurationCommand({ Bucket: bucket });
    const answer = await store.client.send(command, sending(signal));
    if (answer.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled") return;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  throw new ComebackError("backend.misconfigured", `the bucket ${bucket} has no Object Lock`, {
    why: "most stores can switch it on only while a bucket is being made",
    next: "name a bucket that does not exist yet, and init makes it with Object Lock",
  });
}
