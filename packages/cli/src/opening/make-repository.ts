import { Repository } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { findBackend } from "./find-backend.ts";

export interface MadeRepository {
  readonly id: string;
  /** Where it is, in full. */
  readonly location: string;
}

/** Makes a new repository with its first key. */
export async function makeRepository(
  context: CommandContext,
  wish: { readonly location: string; readonly password: string; readonly version: 1 | 2 },
): Promise<MadeRepository> {
  const { signal, clock, random } = context;
  const { password, version } = wish;
  const { factory, location } = await findBackend(wish.location);
  const backend = await factory.create(location, { signal });
  try {
    await using repository = await Repository.init({
      backend,
      password,
      version,
      clock,
      random,
      signal,
    });
    return { id: repository.config.id, location: backend.location };
  } finally {
    await backend[Symbol.asyncDispose]();
  }
}
