import { S3_PART_BYTES, S3_SINGLE_PUT_MAX_BYTES } from "@comeback/core";
import type { OpenBackendOptions } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { credentialsFrom } from "./credentials.ts";
import { encryptionFrom } from "./encryption.ts";
import { endpointOf, inRegion } from "./endpoint.ts";
import { HttpHandler } from "./http-handler.ts";
import { loadObject } from "./load-object.ts";
import { makeClient } from "./make-client.ts";
import { operationOf } from "./object-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { parseS3Location } from "./parse-location.ts";
import { isMissing, isServiceError, s3Error, serviceCode } from "./s3-errors.ts";
import { parseS3Settings } from "./settings.ts";
import { readTlsMaterial } from "./tls-material.ts";
import { untilAborted } from "./until-aborted.ts";

/** What only tests change. */
export interface S3Tuning {
  readonly singlePutMaxBytes?: number;
  readonly partBytes?: number;
  readonly idleMaxMs?: number;
}

/** The way to a bucket, not walked yet. */
export async function connect(
  written: string,
  options: OpenBackendOptions,
  tuning: S3Tuning = {},
): Promise<ObjectStore> {
  const { env = {}, signal, clock = systemClock } = options;
  const location = parseS3Location(written);
  const settings = parseS3Settings(options.settings);
  const endpoint = endpointOf(location, settings, env);
  const encryption = await encryptionFrom(settings);
  const tls = location.isHttps ? await readTlsMaterial(options.tls) : {};
  const credentials = settings.anonymous ? undefined : credentialsFrom(env, endpoint.region);
  const { connections } = settings;
  const handler = new HttpHandler({ connections, tls, env, idleMaxMs: tuning.idleMaxMs });
  signal?.throwIfAborted();
  return {
    client: makeClient({ endpoint, credentials, handler }),
    location,
    endpoint,
    settings,
    encryption,
    clock,
    credentials,
    handler,
    singlePutMaxBytes: tuning.singlePutMaxBytes ?? S3_SINGLE_PUT_MAX_BYTES,
    partBytes: tuning.partBytes ?? S3_PART_BYTES,
    conditionalPut: endpoint.isConditionalKnown ? "refused" : "unknown",
    proving: undefined,
    configRead: undefined,
    accessKeyId: undefined,
  };
}

export type ConfigState = "there" | "missing" | "no-bucket";

/** The first call of all: is there a repository? Learns on the way in which region the bucket is. */
export async function findConfig(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<ConfigState> {
  try {
    // They may come from afar, by a program or a person, and their providers take no signal.
    const credentials = store.credentials && (await untilAborted(store.credentials(), signal));
    store.accessKeyId = credentials?.accessKeyId;
    return await askForConfig(store, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw s3Error(operationOf(store, "opening the repository", "s3:GetObject"), error);
  }
}

async function askForConfig(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<ConfigState> {
  try {
    store.configRead = await loadObject(store, { type: "config", name: "" }, { signal });
    return "there";
  } catch (error) {
    if (serviceCode(error) === "NoSuchBucket") return "no-bucket";
    if (isMissing(error)) return "missing";
    const region = regionNamedBy(error);
    if (!store.endpoint.isRegionGuessed || region === undefined) throw error;
    if (region === store.endpoint.region) throw error;
    store.endpoint = inRegion(store.endpoint, store.location, region);
    const { endpoint, credentials, handler } = store;
    store.client = makeClient({ endpoint, credentials, handler });
    return await askForConfig(store, signal);
  }
}

/** A store that is asked in the wrong region's name says the right one. */
function regionNamedBy(error: unknown): string | undefined {
  if (!isServiceError(error)) return undefined;
  const named = error.Region ?? error.$response?.headers?.["x-amz-bucket-region"];
  return named !== undefined && /^[a-z0-9-]{1,64}$/.test(named) ? named : undefined;
}
