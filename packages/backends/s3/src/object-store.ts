import type { S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "@comeback/core";
import type { CredentialsProvider } from "./credentials.ts";
import type { Encryption } from "./encryption.ts";
import type { S3Endpoint } from "./endpoint.ts";
import type { HttpHandler } from "./http-handler.ts";
import type { S3Location } from "./parse-location.ts";
import type { S3Operation } from "./s3-errors.ts";
import type { S3Settings } from "./settings.ts";

/** Whether the store refuses a PUT with `If-None-Match: *` onto a name that is taken. */
export type ConditionalPut = "unknown" | "refused" | "ignored";

/** A bucket, and all that is known of the way to it. */
export interface ObjectStore {
  readonly location: S3Location;
  readonly settings: S3Settings;
  readonly encryption: Encryption;
  readonly clock: Clock;
  readonly credentials: CredentialsProvider | undefined;
  /** From this size on an object goes up in parts. */
  readonly singlePutMaxBytes: number;
  readonly partBytes: number;
  readonly handler: HttpHandler;

  // What is found out on the way.
  client: S3Client;
  endpoint: S3Endpoint;
  conditionalPut: ConditionalPut;
  /** Ends once that is found out, while it is being tried. */
  proving: Promise<void> | undefined;
  /** The config as it was when the storage was opened: whoever opens it reads that next. */
  configRead: Uint8Array<ArrayBuffer> | undefined;
  accessKeyId: string | undefined;
}

/** The facts that an error about one call has to name. */
export function operationOf(store: ObjectStore, doing: string, action: string): S3Operation {
  return {
    doing,
    action,
    location: store.location.shown,
    bucket: store.location.bucket,
    host: store.location.host,
    region: store.endpoint.region,
    accessKeyId: store.accessKeyId,
    nowMs: store.clock.now(),
  };
}
