import type { BlobType } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";

/** Every blob that the index lists, once for each pack that holds it. The index is loaded. */
export function* listBlobs(
  repository: Repository,
): Generator<{ readonly type: BlobType; readonly id: string }> {
  const { table } = repository.index;
  for (let entry = 0; entry < table.count; entry++) {
    yield { type: table.typeOf(entry), id: table.idOf(entry) };
  }
}
