import type { BlobClient, BlobItem } from "@azure/storage-blob";
import { AZURE_STATES_ASKED_SINGLY_MAX, ComebackError } from "@comeback/core";
import type {
  ArchivedPack,
  ArchiveState,
  BackendArchive,
  OperationOptions,
  RepositoryFile,
  ThawTier,
} from "@comeback/core";
import { failureCode } from "./azure-errors.ts";
import type { AccessTier } from "./azure-settings.ts";

const ARCHIVE = "Archive";
/** Tiers and what the service promises of them. */
const TIERS: readonly ThawTier[] = [
  { name: "Standard", waitHours: 15 },
  { name: "High", waitHours: 1 },
];

/** What the archive needs of the backend, which closes, limits and explains. */
export interface ArchiveStore {
  /** Runs a call on a pack's blob; undefined where there is none. */
  ask<T>(
    file: RepositoryFile,
    doing: "looking up" | "thawing",
    options: OperationOptions,
    call: (client: BlobClient) => Promise<T>,
  ): Promise<T>;
  askIfThere<T>(
    file: RepositoryFile,
    options: OperationOptions,
    call: (client: BlobClient) => Promise<T>,
  ): Promise<T | undefined>;
  packBlobs(options: OperationOptions): AsyncIterable<{ name: string; blob: BlobItem }>;
  /** Where a thawed pack goes. */
  readonly thawedTier: AccessTier;
  readonly connections: number;
}

/**
 * Packs in the archive tier. A thaw moves a pack to another tier, where it stays: the service knows
 * no thaw for a number of days.
 */
export class AzureArchive implements BackendArchive {
  readonly #store: ArchiveStore;

  constructor(store: ArchiveStore) {
    this.#store = store;
  }

  tiers(storageClass: string): readonly ThawTier[] {
    return storageClass === ARCHIVE ? TIERS : [];
  }

  async *states(
    names: Iterable<string>,
    options: OperationOptions = {},
  ): AsyncGenerator<ArchivedPack> {
    const wanted = new Set(names);
    if (wanted.size > AZURE_STATES_ASKED_SINGLY_MAX) {
      for await (const { name, blob } of this.#store.packBlobs(options)) {
        if (wanted.has(name)) yield stateOf(name, blob.properties);
      }
      return;
    }
    const asked = [...wanted];
    for (let at = 0; at < asked.length; at += this.#store.connections) {
      const some = asked.slice(at, at + this.#store.connections);
      const states = await Promise.all(some.map((name) => this.#state(name, options)));
      for (const state of states) if (state !== undefined) yield state;
    }
  }

  async thaw(
    name: string,
    options: OperationOptions & { readonly tier: string; readonly days: number },
  ): Promise<void> {
    const tier = TIERS.find((known) => known.name.toLowerCase() === options.tier.toLowerCase());
    if (tier === undefined) throw unknownTier(options.tier);
    // A pack that can be read stays where it is: moving it would only cost.
    if ((await this.#state(name, options))?.state === "readable") return;
    const file = { type: "pack", name } as const;
    await this.#store.ask(file, "thawing", options, (client) =>
      client
        .setAccessTier(this.#store.thawedTier, {
          rehydratePriority: tier.name === "High" ? "High" : "Standard",
          ...(options.signal === undefined ? {} : { abortSignal: options.signal }),
        })
        .catch((error: unknown) => {
          if (failureCode(error) !== "BlobBeingRehydrated") throw error;
        }),
    );
  }

  #state(name: string, options: OperationOptions): Promise<ArchivedPack | undefined> {
    const { signal } = options;
    return this.#store.askIfThere({ type: "pack", name }, options, async (client) => {
      const found = await client.getProperties(signal === undefined ? {} : { abortSignal: signal });
      return stateOf(name, found);
    });
  }
}

interface TierProperties {
  readonly accessTier?: string;
  readonly archiveStatus?: string;
  readonly contentLength?: number;
}

function stateOf(name: string, properties: TierProperties): ArchivedPack {
  const { accessTier = "", archiveStatus, contentLength = 0 } = properties;
  const isWaiting = archiveStatus?.startsWith("rehydrate-pending") === true;
  const state: ArchiveState =
    accessTier !== ARCHIVE ? "readable" : isWaiting ? "thawing" : "archived";
  return { name, sizeBytes: contentLength, state, storageClass: accessTier };
}

function unknownTier(tier: string): ComebackError {
  return new ComebackError("option.invalid", `${JSON.stringify(tier)} is no way to thaw a pack`, {
    next: `use ${TIERS.map(({ name }) => name).join(" or ")}`,
  });
}
