import type { ServerResponse } from "node:http";
import { element, escapeXml, NO_SUCH_BUCKET, sendXml } from "./answers.ts";
import type { S3Failure } from "./answers.ts";
import type { StoredObject } from "./stored-objects.ts";
import type { StandInRequest, StandInState } from "./stand-in.ts";

/** Requests about a bucket: made, looked up, listed. */
export function answerBucket(
  state: StandInState,
  request: StandInRequest,
  response: ServerResponse,
): S3Failure | undefined {
  const { method, bucket, query } = request;
  if (method === "PUT") {
    if (state.buckets.has(bucket)) return { status: 409, code: "BucketAlreadyOwnedByYou" };
    state.buckets.set(bucket, { objects: new Map(), uploads: new Map() });
    response.writeHead(200).end();
    return undefined;
  }
  if (!state.buckets.has(bucket)) return NO_SUCH_BUCKET;
  if (method === "HEAD") {
    response.writeHead(200).end();
    return undefined;
  }
  if (method !== "GET") return { status: 405, code: "MethodNotAllowed" };
  if (query.has("object-lock")) {
    return { status: 404, code: "ObjectLockConfigurationNotFoundError" };
  }
  list(state, request, response);
  return undefined;
}

function list(state: StandInState, request: StandInRequest, response: ServerResponse): void {
  const { bucket, query } = request;
  const isV2 = query.get("list-type") === "2";
  const prefix = query.get("prefix") ?? "";
  const after = query.get(isV2 ? "continuation-token" : "marker") ?? "";
  const objects = state.buckets.get(bucket)?.objects ?? new Map<string, StoredObject>();
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after);
  const page = keys.toSorted().slice(0, state.pageSize);
  const isTruncated = keys.length > page.length;
  const contents = page.map((key) => {
    const object = objects.get(key)!;
    const parts = [
      element("Key", escapeXml(key)),
      element("LastModified", object.modified.toISOString()),
      element("ETag", escapeXml(object.etag)),
      element("Size", String(object.data.byteLength)),
      element("StorageClass", object.storageClass),
    ];
    return element("Contents", parts.join(""));
  });
  const next = isTruncated && isV2 ? element("NextContinuationToken", page.at(-1) ?? "") : "";
  const head = [
    element("Name", bucket),
    element("Prefix", escapeXml(prefix)),
    element("MaxKeys", String(state.pageSize)),
    element("IsTruncated", String(isTruncated)),
    next,
  ];
  sendXml(response, "ListBucketResult", [...head, ...contents].join(""));
}
