import { ListObjectsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { _Object as StoredObject } from "@aws-sdk/client-s3";
import { ComebackError } from "@comeback/core";
import type { FileType, ListedFile } from "@comeback/core";
import { folderKeyOf, nameOf } from "./layout.ts";
import { headObject, sending } from "./load-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { isMissing } from "./s3-errors.ts";

interface Page {
  readonly objects: readonly StoredObject[];
  /** What the next page is asked for with; undefined after the last. */
  readonly next: string | undefined;
}

/** The files of one type, page by page; whatever else lies among them is passed over. */
export async function* listObjects(
  store: ObjectStore,
  type: FileType,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedFile> {
  if (type === "config") {
    yield* listConfig(store, signal);
    return;
  }
  const folder = folderKeyOf(store.location.prefix, type);
  const readPage = store.settings.listObjectsV1 ? readPageV1 : readPageV2;
  let next: string | undefined;
  do {
    const page = await readPage(store, folder, next, signal);
    for (const { Key = "", Size = 0 } of page.objects) {
      const name = nameOf(store.location.prefix, type, Key);
      if (name === undefined) continue;
      yield { name, sizeBytes: Size };
      signal?.throwIfAborted();
    }
    if (page.next !== undefined && page.next === next) throw endlessList(store, type);
    next = page.next;
  } while (next !== undefined);
}

async function* listConfig(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedFile> {
  try {
    const { ContentLength: sizeBytes = 0 } = await headObject(
      store,
      { type: "config", name: "" },
      signal,
    );
    yield { name: "", sizeBytes };
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function readPageV2(
  store: ObjectStore,
  folder: string,
  next: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Page> {
  const answer = await store.client.send(
    new ListObjectsV2Command({
      Bucket: store.location.bucket,
      Prefix: folder,
      ...(next === undefined ? {} : { ContinuationToken: next }),
    }),
    sending(signal),
  );
  return pageOf(answer.Contents, answer.IsTruncated, answer.NextContinuationToken);
}

async function readPageV1(
  store: ObjectStore,
  folder: string,
  marker: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Page> {
  const answer = await store.client.send(
    new ListObjectsCommand({
      Bucket: store.location.bucket,
      Prefix: folder,
      ...(marker === undefined ? {} : { Marker: marker }),
    }),
    sending(signal),
  );
  // Stores name the next one only where they were asked for folders; it is the last one's name.
  const next = answer.NextMarker ?? answer.Contents?.at(-1)?.Key;
  return pageOf(answer.Contents, answer.IsTruncated, next);
}

/** A list that says there is more, but not where, must not pass for a whole one. */
function pageOf(
  objects: readonly StoredObject[] | undefined,
  isTruncated: boolean | undefined,
  next: string | undefined,
): Page {
  if (isTruncated === true && (next === undefined || next === "")) {
    throw new ComebackError(
      "backend.io",
      "the store broke a list off without saying how to go on",
      {
        next: "try -o s3.list-objects-v1=true, the older way of listing",
      },
    );
  }
  return { objects: objects ?? [], next: isTruncated === true ? next : undefined };
}

function endlessList(store: ObjectStore, type: FileType): ComebackError {
  return new ComebackError("backend.io", `the store lists ${type} files without an end`, {
    why: `${store.location.host} names the same next page again`,
    next: "try -o s3.list-objects-v1=true, the older way of listing",
  });
}
