import { Repository, saveHotConfig } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openStorage } from "./open-storage.ts";

export interface MadeRepository {
  readonly id: string;
  /** Where it is, in full. */
  readonly location: string;
}

/** Makes a new repository with its first key. */
export async function makeRepository(
  context: CommandContext,
  wish: {
    readonly location: string;
    readonly password: string;
    readonly version: 1 | 2;
    /** A random one if not given. */
    readonly chunkerPolynomial?: bigint;
  },
): Promise<MadeRepository> {
  const { signal, clock, random } = context;
  const { location: wanted, ...rest } = wish;
  const { backend, hot } = await openStorage(context, wanted, "create");
  try {
    await using repository = await Repository.init({
      ...rest,
      backend,
      clock,
      random,
      signal,
    });
    // The last step: without it, nobody takes the hot part for one.
    if (hot !== undefined) await saveHotConfig(repository, hot, { signal });
    return { id: repository.config.id, location: backend.location };
  } finally {
    await backend[Symbol.asyncDispose]();
  }
}
