import { createHash, randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { element, NO_SUCH_BUCKET, NO_SUCH_KEY, PRECONDITION_FAILED, sendXml } from "./answers.ts";
import type { S3Failure } from "./answers.ts";
import type { StandInRequest, StandInState } from "./stand-in.ts";
import { ARCHIVE_TIER_HOURS, isReadable, newObject, restoreHeader } from "./stored-objects.ts";
import type { Bucket, StoredObject } from "./stored-objects.ts";

const HOUR_MS = 3_600_000;

type Answer = (
  state: StandInState,
  bucket: Bucket,
  request: StandInRequest,
  response: ServerResponse,
) => S3Failure | undefined;

/** Requests about one object. */
export function answerObject(
  state: StandInState,
  request: StandInRequest,
  response: ServerResponse,
): S3Failure | undefined {
  const bucket = state.buckets.get(request.bucket);
  if (bucket === undefined) return NO_SUCH_BUCKET;
  const answer = answerFor(request);
  return answer === undefined
    ? { status: 405, code: "MethodNotAllowed" }
    : answer(state, bucket, request, response);
}

function answerFor({ method, query }: StandInRequest): Answer | undefined {
  if (method === "GET" || method === "HEAD") return get;
  if (method === "PUT") return query.has("partNumber") ? putPart : put;
  if (method === "DELETE") return query.has("uploadId") ? abortUpload : remove;
  if (method !== "POST") return undefined;
  if (query.has("uploads")) return beginUpload;
  if (query.has("uploadId")) return completeUpload;
  return query.has("restore") ? restore : undefined;
}

const get: Answer = (state, bucket, { method, key, headers }, response) => {
  const object = bucket.objects.get(key);
  if (object === undefined) return NO_SUCH_KEY;
  const nowMs = state.nowMs();
  if (method === "GET" && !isReadable(object, nowMs)) {
    return { status: 403, code: "InvalidObjectState", more: { StorageClass: object.storageClass } };
  }
  const restored = restoreHeader(object, nowMs);
  const facts = {
    etag: object.etag,
    "last-modified": object.modified.toUTCString(),
    ...(object.storageClass === "STANDARD" ? {} : { "x-amz-storage-class": object.storageClass }),
    ...(restored === undefined ? {} : { "x-amz-restore": restored }),
  };
  const size = object.data.byteLength;
  const range = rangeOf(headers.range, size);
  if (range === "bad") return { status: 416, code: "InvalidRange" };
  const data = range === undefined ? object.data : object.data.subarray(range.begin, range.end);
  const place =
    range === undefined ? {} : { "content-range": `bytes ${range.begin}-${range.end - 1}/${size}` };
  response.writeHead(range === undefined ? 200 : 206, {
    ...facts,
    ...place,
    "content-length": data.byteLength,
  });
  response.end(method === "HEAD" ? undefined : data);
  return undefined;
};

function rangeOf(
  header: string | undefined,
  size: number,
): { begin: number; end: number } | "bad" | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === undefined) return undefined;
  const begin = Number(first);
  if (begin >= size) return "bad";
  return { begin, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

const put: Answer = (state, bucket, { key, headers, body }, response) => {
  const refusal = checksumRefusal(headers, body) ?? conditionRefusal(state, bucket, key, headers);
  if (refusal !== undefined) return refusal;
  const object = newObject(body, storageClassOf(headers), state.nowMs());
  bucket.objects.set(key, object);
  response.writeHead(200, { etag: object.etag }).end();
  return undefined;
};

function storageClassOf(headers: StandInRequest["headers"]): string {
  return String(headers["x-amz-storage-class"] ?? "STANDARD");
}

function conditionRefusal(
  state: StandInState,
  bucket: Bucket,
  key: string,
  headers: StandInRequest["headers"],
): S3Failure | undefined {
  const isConditional = state.isPutConditional && headers["if-none-match"] === "*";
  return isConditional && bucket.objects.has(key) ? PRECONDITION_FAILED : undefined;
}

function checksumRefusal(
  headers: StandInRequest["headers"],
  body: Uint8Array,
): S3Failure | undefined {
  const sha256 = String(headers["x-amz-content-sha256"] ?? "");
  const isSigned = /^[0-9a-f]{64}$/.test(sha256);
  if (isSigned && createHash("sha256").update(body).digest("hex") !== sha256) {
    return { status: 400, code: "XAmzContentSHA256Mismatch" };
  }
  const md5 = headers["content-md5"];
  if (md5 !== undefined && createHash("md5").update(body).digest("base64") !== md5) {
    return { status: 400, code: "BadDigest" };
  }
  return undefined;
}

const remove: Answer = (_state, bucket, { key }, response) => {
  bucket.objects.delete(key);
  response.writeHead(204).end();
  return undefined;
};

const beginUpload: Answer = (_state, bucket, { bucket: name, key, headers }, response) => {
  const id = randomUUID();
  bucket.uploads.set(id, { key, storageClass: storageClassOf(headers), parts: new Map() });
  const parts = [element("Bucket", name), element("Key", key), element("UploadId", id)];
  sendXml(response, "InitiateMultipartUploadResult", parts.join(""));
  return undefined;
};

const putPart: Answer = (state, bucket, { query, headers, body }, response) => {
  const upload = bucket.uploads.get(query.get("uploadId") ?? "");
  if (upload === undefined) return { status: 404, code: "NoSuchUpload" };
  const refusal = checksumRefusal(headers, body);
  if (refusal !== undefined) return refusal;
  upload.parts.set(Number(query.get("partNumber")), body);
  response.writeHead(200, { etag: newObject(body, "STANDARD", state.nowMs()).etag }).end();
  return undefined;
};

const completeUpload: Answer = (state, bucket, { query, key, headers }, response) => {
  const id = query.get("uploadId") ?? "";
  const upload = bucket.uploads.get(id);
  if (upload === undefined) return { status: 404, code: "NoSuchUpload" };
  const refusal = conditionRefusal(state, bucket, key, headers);
  if (refusal !== undefined) return refusal;
  const parts = [...upload.parts].toSorted(([a], [b]) => a - b).map(([, data]) => data);
  const object = newObject(Buffer.concat(parts), upload.storageClass, state.nowMs());
  bucket.objects.set(key, object);
  bucket.uploads.delete(id);
  sendXml(response, "CompleteMultipartUploadResult", element("ETag", object.etag));
  return undefined;
};

const abortUpload: Answer = (_state, bucket, { query }, response) => {
  bucket.uploads.delete(query.get("uploadId") ?? "");
  response.writeHead(204).end();
  return undefined;
};

/** Asks for a copy that can be read: 202 the first time, 409 while that is under way. */
const restore: Answer = (state, bucket, { key, body }, response) => {
  const object = bucket.objects.get(key);
  if (object === undefined) return NO_SUCH_KEY;
  const tiers = ARCHIVE_TIER_HOURS[object.storageClass];
  if (tiers === undefined) return { status: 403, code: "InvalidObjectState" };
  return beginRestore({ object, tiers, text: Buffer.from(body).toString(), state, response });
};

function beginRestore(request: {
  readonly object: StoredObject;
  readonly tiers: Readonly<Record<string, number>>;
  readonly text: string;
  readonly state: StandInState;
  readonly response: ServerResponse;
}): S3Failure | undefined {
  const { object, tiers, text, state, response } = request;
  const nowMs = state.nowMs();
  const days = Number(/<Days>(\d+)<\/Days>/.exec(text)?.[1] ?? 0);
  const tier = /<Tier>(\w+)<\/Tier>/.exec(text)?.[1] ?? "Standard";
  const waitHours = tiers[tier];
  if (waitHours === undefined || days < 1) return { status: 400, code: "MalformedXML" };
  if (restoreHeader(object, nowMs) === 'ongoing-request="true"') {
    return { status: 409, code: "RestoreAlreadyInProgress" };
  }
  const isThawed = isReadable(object, nowMs);
  const fromMs = isThawed ? nowMs : nowMs + waitHours * HOUR_MS;
  object.thawed = { fromMs, untilMs: fromMs + days * 24 * HOUR_MS, tier };
  response.writeHead(isThawed ? 200 : 202).end();
  return undefined;
}
