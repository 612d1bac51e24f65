import type { Repository } from "../repository/repository.ts";

/** A change of a repository's format, under restic's name for it. */
export interface Migration {
  readonly name: string;
  readonly description: string;
  isApplicable(repository: Repository): boolean;
}

export const UPGRADE_REPO_V2: Migration = {
  name: "upgrade_repo_v2",
  description: "upgrade a repository to version 2",
  isApplicable: ({ config }) => config.version === 1,
};

export const MIGRATIONS: readonly Migration[] = [UPGRADE_REPO_V2];
