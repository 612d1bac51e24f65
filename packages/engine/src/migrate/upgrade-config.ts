import type { OperationOptions } from "@comeback/core";
import { ComebackError, messageOf } from "@comeback/core";
import { decodeConfig, encodeConfig } from "../repository/config.ts";
import { loadSealedConfig } from "../repository/look-for-config.ts";
import type { Repository } from "../repository/repository.ts";

const CONFIG = { type: "config", name: "" } as const;

/** A place outside the repository for the config file while it is replaced. */
export interface ConfigKeeper {
  /** Resolves once the copy survives a power cut; to where it is, for a person. */
  keep(config: Uint8Array): Promise<string>;
  /** The repository has a config again: the copy may go. */
  drop(): Promise<void>;
}

export interface UpgradeOptions extends OperationOptions {
  readonly keeper: ConfigKeeper;
  /** Told where the copy is, before the config is touched. */
  onKept?(where: string): void;
}

/**
 * Makes a repository of version 1 one of version 2. Only the config says which it is: version 2 may
 * hold what is compressed, and need not. Hold an exclusive lock: who works by the old config would
 * write for the old version.
 *
 * Stores cannot replace a file, so for a moment there is no config, and whoever opens the repository
 * then finds none. A copy is kept outside before, and whatever fails puts the old one back.
 */
export async function upgradeConfig(
  repository: Repository,
  { keeper, onKept, signal }: UpgradeOptions,
): Promise<void> {
  const { backend, codec, config } = repository;
  const { cipher } = codec;
  const old = await loadSealedConfig(backend, cipher, { signal });
  // Both are proven before anything is touched: the old one opens, and so does the new one.
  const before = decodeConfig(old, cipher);
  if (before.id !== config.id || before.version !== 1) {
    throw new ComebackError("migration.failed", "the repository is not of version 1 any more", {
      why: "its config has changed since it was opened",
      next: "run the command again",
    });
  }
  const upgraded = encodeConfig({ ...before, version: 2 }, cipher);
  assertUpgraded(decodeConfig(upgraded, cipher), before);
  const where = await keeper.keep(old);
  onKept?.(where);
  signal?.throwIfAborted();
  try {
    // From here on nobody may interrupt: the fewest steps to where there is a config again.
    await backend.remove(CONFIG);
    await backend.save(CONFIG, upgraded);
    assertUpgraded(decodeConfig(await loadSealedConfig(backend, cipher, {}), cipher), before);
  } catch (cause) {
    throw await putBack(repository, old, where, cause);
  }
  await keeper.drop();
}

function assertUpgraded(
  after: ReturnType<typeof decodeConfig>,
  before: ReturnType<typeof decodeConfig>,
): void {
  const isSame =
    after.version === 2 &&
    after.id === before.id &&
    after.chunkerPolynomial === before.chunkerPolynomial;
  if (!isSame) throw new Error("the new config does not say what it has to");
}

/** The error to end with, once the old config is back, or could not be brought back. */
async function putBack(
  { backend }: Repository,
  old: Uint8Array,
  where: string,
  cause: unknown,
): Promise<ComebackError> {
  const why = `the new config could not be stored: ${messageOf(cause)}`;
  try {
    await backend.remove(CONFIG);
    await backend.save(CONFIG, old);
    return new ComebackError("migration.failed", "the repository could not be upgraded", {
      why,
      next: "the old config is in place again and nothing is lost; try again later",
      cause,
    });
  } catch {
    return new ComebackError("migration.failed", "the repository has no config file now", {
      why: `${why}; and the old one could not be put back`,
      next:
        "nothing else is missing: once the storage can be written, run `comeback migrate " +
        `upgrade_repo_v2\` again on this machine, or copy ${where} to the repository's \`config\``,
      cause,
    });
  }
}
