import type { ByteString, ComebackError, OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";

/** One difference; `modifier` has restic's letters. */
export interface DiffChange {
  /** A folder's ends with a slash. */
  readonly path: ByteString;
  /** `+`, `-`, or a combination of `M` content, `T` type, `U` metadata, `?` bit rot. */
  readonly modifier: string;
}

export interface DiffCounts {
  files: number;
  dirs: number;
  others: number;
  dataBlobs: number;
  treeBlobs: number;
  /** Of these blobs, before compression. */
  bytes: number;
}

export interface DiffStatistics {
  readonly changedFiles: number;
  readonly added: Readonly<DiffCounts>;
  readonly removed: Readonly<DiffCounts>;
  /** Folders that could not be compared, blobs that the index does not list. */
  readonly problems: number;
}

export interface DiffOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Repository;
  /** The trees that are compared. */
  readonly before: string;
  readonly after: string;
  /** Report entries whose metadata alone has changed, too. */
  readonly metadata?: boolean;
  onChange?(change: DiffChange): void;
  /** Told of each folder before it is compared. */
  onFolder?(path: ByteString): void;
  /** Told what could not be compared; the rest is. */
  onProblem?(error: ComebackError): void;
}
