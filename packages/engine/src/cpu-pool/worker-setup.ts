import type { SharedBlobTable } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import type { WorkerSetup } from "./protocol.ts";

/** What workers need to know of an open repository, and of the table they look blobs up in. */
export function workerSetup(repository: Repository, table: SharedBlobTable): WorkerSetup {
  return {
    key: repository.key,
    version: repository.config.version,
    compression: repository.compression,
    verifyBlobs: repository.verifyBlobs,
    packSizeBytes: repository.packSizeBytes,
    chunkerPolynomial: repository.config.chunkerPolynomial,
    table,
  };
}
