/**
 * The engine as a library: open or make a repository, back up, list, read, restore, check.
 * `docs/reference/library.md` shows how.
 */
export * from "./crypto/blob-codec.ts";
export { SCRYPT_COST_DEFAULT, type ScryptCost } from "./crypto/key-file.ts";
export * from "./repository/config.ts";
export * from "./repository/lock.ts";
export * from "./repository/repository.ts";
export * from "./repository/snapshots.ts";
export * from "./snapshot/snapshot.ts";
export { backup } from "./archive/backup.ts";
export * from "./archive/backup-options.ts";
