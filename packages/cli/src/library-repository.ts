import type { Backend } from "@comeback/core";
import type { Repository as OpenRepository } from "@comeback/engine";
import {
  type InitOptions,
  Repository,
  RepositoryLock,
  type RepositoryOptions,
} from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { prepareStorage } from "./opening/open-backend.ts";
import type { StorageOptions } from "./options/storage-options.ts";

/** Where a repository is and what opens it; everything else has a default. */
export interface RepositoryPlace
  extends
    Partial<Omit<RepositoryOptions, "backend" | "password">>,
    Pick<RepositoryOptions, "password"> {
  /** As for `comeback -r`: a folder. */
  readonly location: string;
  /** How storage is reached, as `-o`, `--limit-upload`, `--cacert` and the like say it. */
  readonly storage?: Partial<StorageOptions>;
}

export interface NewRepository
  extends RepositoryPlace, Pick<InitOptions, "version" | "scryptCost" | "chunkerPolynomial"> {}

/** Makes a repository and opens it. Whoever gets it disposes of it. */
export async function createRepository(place: NewRepository): Promise<OpenRepository> {
  const { location, storage, ...options } = place;
  const backend = await reach("create", { ...options, location, storage });
  try {
    return await Repository.init({ clock: systemClock, random: systemRandom, ...options, backend });
  } catch (error) {
    await backend[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens a repository. Whoever gets it disposes of it. */
export async function openRepository(place: RepositoryPlace): Promise<OpenRepository> {
  const { location, storage, ...options } = place;
  const backend = await reach("open", { ...options, location, storage });
  try {
    return await Repository.open({ clock: systemClock, random: systemRandom, ...options, backend });
  } catch (error) {
    await backend[Symbol.asyncDispose]();
    throw error;
  }
}

type Reached = Pick<RepositoryPlace, "location" | "clock" | "random" | "signal"> & {
  readonly storage: Partial<StorageOptions> | undefined;
};

async function reach(how: "create" | "open", place: Reached): Promise<Backend> {
  const { location, storage, signal, clock = systemClock, random = systemRandom } = place;
  const { env } = process;
  const prepared = await prepareStorage({ location, env, clock, random, signal, storage });
  return prepared.reach(how);
}

/**
 * Locks a repository, together with others or against them. What only reads may begin at once;
 * before anything is written, `confirmed` has to resolve (`backup` waits for it as `mayWrite`).
 */
export function lockRepository(
  repository: OpenRepository,
  options: {
    readonly exclusive?: boolean;
    /** Runs only once at a time, although others may work meanwhile. */
    readonly activity?: "prune";
    readonly signal?: AbortSignal;
  } = {},
): Promise<RepositoryLock> {
  const { exclusive = false, activity, signal } = options;
  const { clock } = repository;
  return RepositoryLock.acquire(repository, { exclusive, activity, signal, clock });
}
