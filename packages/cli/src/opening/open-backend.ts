import {
  type BackendMetrics,
  Retrier,
  stackLayers,
  type RetryObserver,
} from "@comeback/backend-layers";
import {
  type Backend,
  type BackendFactory,
  type Clock,
  ComebackError,
  type OpenBackendOptions,
  type Random,
  RETRY_OPEN_MAX_MS,
} from "@comeback/core";
import type { CommandContext } from "../context.ts";
import type { StorageOptions } from "../options/storage-options.ts";
import { findBackend } from "./find-backend.ts";
import { redactLocation } from "./redact-location.ts";
import { RetryMessages } from "./retry-messages.ts";
import { settingsFor } from "./storage-settings.ts";

/** Storage that is to be opened, and the world it is opened in. */
export interface StorageWish {
  readonly location: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
  readonly storage?: Partial<StorageOptions> | undefined;
  readonly retryObserver?: RetryObserver;
  /** Where calls of the storage at a place are to be counted. */
  readonly metricsOf?: ((location: string) => BackendMetrics) | undefined;
}

/** A kind of storage with all that it is to be opened with. */
export interface PreparedStorage {
  readonly factory: BackendFactory;
  readonly options: OpenBackendOptions;
  /** Opens it, or makes it, with the layers that belong around it. */
  reach(how: "create" | "open", location?: string): Promise<Backend>;
}

/** Every backend of the command line and the library comes from here. */
export async function prepareStorage(wish: StorageWish): Promise<PreparedStorage> {
  const { env, clock, random, signal, storage = {}, retryObserver, metricsOf } = wish;
  const { factory, scheme } = await findBackend(wish.location);
  const settings = await settingsFor(scheme, storage);
  const options: OpenBackendOptions = {
    env,
    clock,
    settings,
    signal,
    ...(storage.tls === undefined ? {} : { tls: storage.tls }),
  };
  return {
    factory,
    options,
    async reach(how, location = wish.location) {
      const { limits = {}, isReadOnly = false } = storage;
      // To make it is a change that no layer would see.
      if (isReadOnly && how === "create") throw nothingIsMade(location);
      const isFolder = factory.scheme === "";
      const reach = (): Promise<Backend> => factory[how](location, options);
      const retries = { clock, random, stop: signal, observer: retryObserver };
      const opening = new Retrier({ ...retries, totalMaxMs: RETRY_OPEN_MAX_MS });
      const adapter = isFolder
        ? await reach()
        : await opening.run("opening the storage", signal, reach);
      const metrics = metricsOf?.(adapter.location);
      return stackLayers(adapter, {
        isFolder,
        isReadOnly,
        clock,
        random,
        limits,
        stop: signal,
        retryObserver,
        ...(metrics === undefined ? {} : { metrics }),
      });
    },
  };
}

function nothingIsMade(location: string): ComebackError {
  const what = `nothing is made at ${redactLocation(location)}`;
  return new ComebackError("backend.read-only", what, {
    why: "with --read-only, nothing in the storage is changed",
    next: "leave --read-only out, or use a command that only reads",
  });
}

/** Opens or makes the backend at a location, as the global options say. */
export async function openBackend(
  context: CommandContext,
  location: string,
  how: "create" | "open" = "open",
): Promise<Backend> {
  const prepared = await prepareCommandStorage(context, location);
  return prepared.reach(how);
}

export function prepareCommandStorage(
  context: CommandContext,
  location: string,
): Promise<PreparedStorage> {
  const { env, clock, random, signal, globals, statistics } = context;
  const retryObserver = new RetryMessages(context);
  return prepareStorage({
    location,
    env,
    clock,
    random,
    signal,
    storage: globals.storage,
    retryObserver,
    metricsOf: statistics && ((place) => statistics.of(place)),
  });
}
