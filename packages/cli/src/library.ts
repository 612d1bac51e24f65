/**
 * Comeback as a library: make or open a repository, back up, list, read, restore, check. The
 * command line is built on the same functions. `docs/reference/library.md` shows how.
 */
export {
  createRepository,
  lockRepository,
  type NewRepository,
  openRepository,
  type RepositoryPlace,
} from "./library-repository.ts";

export {
  type ArchiveFormat,
  backup,
  type BackupObserver,
  type BackupOptions,
  type BackupProgress,
  type BackupResult,
  cachedBackend,
  check,
  type CheckObserver,
  type CheckOptions,
  type CheckProblem,
  type CheckProgress,
  type CheckResult,
  type CompressionMode,
  computeStats,
  dumpFile,
  dumpFolder,
  type DumpFolderOptions,
  findLatest,
  findSnapshot,
  instantOfMilliseconds,
  listSnapshots,
  type OverwriteMode,
  type ReadData,
  readFile,
  Repository,
  RepositoryLock,
  type RepositoryOptions,
  type RepositoryStats,
  resolveFolder,
  resolvePath,
  restore,
  type RestoreObserver,
  type RestoreOptions,
  type RestoreProblem,
  type RestoreProgress,
  type RestoreResult,
  type SelectEntry,
  type Snapshot,
  type SnapshotFilter,
  type SnapshotSummary,
  type TreeNode,
  type WalkedNode,
  walkSnapshot,
} from "@comeback/engine";

export {
  commandSource,
  type CommandSourceOptions,
  createFilesSource,
  type FilesSourceOptions,
  stdinSource,
  type StdinSourceOptions,
} from "@comeback/source-files";

export { localBackendFactory } from "@comeback/backend-local";
export { systemClock, systemRandom } from "@comeback/platform";

export {
  type Backend,
  type BackendFactory,
  type ByteString,
  byteStringFromText,
  bytesOf,
  type Clock,
  ComebackError,
  displayText,
  type ErrorCode,
  ExitCode,
  type Instant,
  isComebackError,
  PatternList,
  type Random,
  type Source,
  type SourceEntry,
  type SourceProblem,
  type SourceSession,
} from "@comeback/core";
