import {
  type Backend,
  ComebackError,
  isComebackError,
  type OperationOptions,
} from "@comeback/core";
import { decodeConfig, encodeConfig, type RepositoryConfig } from "./config.ts";
import { loadSealedConfig } from "./look-for-config.ts";
import type { Repository } from "./repository.ts";

const CONFIG = { type: "config", name: "" } as const;

/**
 * What the config of a hot part says about the repository that it belongs to. `missing`: it has no
 * config; `outdated`: it is of another version; `whole`: it is no hot part; `other`: it belongs to
 * another repository.
 */
export type HotPartState = "fits" | "missing" | "other" | "outdated" | "whole";

/**
 * The hot part has a config of its own, as rustic writes it: the repository's, with `is_hot`. rustic
 * opens a pair only with it.
 */
export async function saveHotConfig(
  { config, codec }: Pick<Repository, "config" | "codec">,
  hot: Backend,
  options: OperationOptions = {},
): Promise<void> {
  const raw = { ...config.raw, is_hot: true };
  await hot.save(CONFIG, encodeConfig({ ...config, raw }, codec.cipher), options);
}

export async function examineHotPart(
  { config, codec }: Repository,
  hot: Backend,
  options: OperationOptions = {},
): Promise<HotPartState> {
  let stored: Uint8Array;
  try {
    stored = await loadSealedConfig(hot, codec.cipher, options);
  } catch (error) {
    if (isComebackError(error, "repository.none")) return "missing";
    throw error;
  }
  // Another repository has another key.
  if (codec.cipher.open(stored) === undefined) return "other";
  const found = decodeConfig(stored, codec.cipher);
  if (found.id !== config.id) return "other";
  if (!isHot(found)) return "whole";
  return found.version === config.version ? "fits" : "outdated";
}

function isHot({ raw }: RepositoryConfig): boolean {
  return raw["is_hot"] === true;
}

/** A hot part lacks the data of every file: taken for a repository, all of it would look lost. */
export function assertIsNotHot(config: RepositoryConfig, location: string): void {
  if (!isHot(config)) return;
  throw new ComebackError(
    "repository.hot-part",
    `${location} is the hot part of a repository, not the repository`,
    {
      why: "it has no data of files: that is in the cold part alone, which has everything",
      next: "name the cold part with -r, and this one with --repo-hot",
    },
  );
}
