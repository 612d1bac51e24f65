import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sendFailure } from "./answers.ts";
import type { S3Failure } from "./answers.ts";
import { answerBucket } from "./bucket-requests.ts";
import { answerObject } from "./object-requests.ts";
import type { Bucket, StoredObject } from "./stored-objects.ts";

export interface S3StandInOptions {
  /** As Amazon has it (default), or as stores that do not look at `If-None-Match` of a PUT. */
  readonly isPutConditional?: boolean;
  readonly nowMs?: () => number;
  /** Objects of one page of a list. */
  readonly pageSize?: number;
}

/** An answer in place of the real one, to the next request that it fits. */
export interface StagedAnswer extends S3Failure {
  readonly method?: string;
  /** Part of the path and query. */
  readonly url?: string;
  /** How often; default once. */
  readonly times?: number;
}

export interface S3Request {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * A stand-in for an object store, on loopback and in memory, after the documented S3 API: for what
 * the real store of the tests does not have (archive classes) or cannot be made to do (to be
 * throttled, to be in another region). It takes every signature.
 */
export interface S3StandIn extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: readonly S3Request[];
  stage(answer: StagedAnswer): void;
  bucket(name: string): Bucket | undefined;
  object(bucket: string, key: string): StoredObject | undefined;
}

/** What the parts of the server work on. */
export interface StandInState {
  readonly buckets: Map<string, Bucket>;
  readonly isPutConditional: boolean;
  readonly pageSize: number;
  nowMs(): number;
}

export interface StandInRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export async function startS3StandIn(options: S3StandInOptions = {}): Promise<S3StandIn> {
  const { isPutConditional = true, nowMs = Date.now, pageSize = 1000 } = options;
  const state: StandInState = { buckets: new Map(), isPutConditional, pageSize, nowMs };
  const requests: S3Request[] = [];
  const staged: StagedAnswer[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    requests.push({ method, url, headers });
    const failure = takeStaged(staged, method, url);
    if (failure !== undefined) {
      sendFailure(response, failure, method === "HEAD");
      return;
    }
    // Who goes away in the middle of a request has not made it.
    answer(state, request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bucket = (name: string): Bucket | undefined => state.buckets.get(name);
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stage: (one) => staged.push(one),
    bucket,
    object: (name, key) => bucket(name)?.objects.get(key),
    [Symbol.asyncDispose]: () => close(server),
  };
}

function takeStaged(staged: StagedAnswer[], method: string, url: string): StagedAnswer | undefined {
  const index = staged.findIndex(
    (one) =>
      (one.method === undefined || one.method === method) &&
      (one.url === undefined || url.includes(one.url)),
  );
  const found = staged[index];
  if (found === undefined) return undefined;
  const { times = 1 } = found;
  if (times > 1) staged[index] = { ...found, times: times - 1 };
  else staged.splice(index, 1);
  return found;
}

async function answer(
  state: StandInState,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "", headers } = incoming;
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const [bucket = "", ...rest] = decodeURIComponent(url.pathname).slice(1).split("/");
  const body = await readWhole(incoming);
  const key = rest.join("/");
  const request = { method, bucket, key, query: url.searchParams, headers, body };
  const failure =
    key === "" ? answerBucket(state, request, response) : answerObject(state, request, response);
  if (failure !== undefined) sendFailure(response, failure, method === "HEAD");
}

async function readWhole(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  if (!incoming.complete) throw new Error("the request was not sent whole");
  return Buffer.concat(chunks);
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
