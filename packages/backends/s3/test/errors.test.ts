import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import type { ErrorCode, OpenBackendOptions } from "@comeback/core";
import { SimulatedClock, startS3StandIn } from "@comeback/testkit";
import type { StagedAnswer } from "@comeback/testkit";
import { s3BackendFactory } from "../src/index.ts";
import { BUCKET, ENV, standInFixture } from "./stand-in-fixture.ts";

const PACK = { type: "pack", name: "ab".repeat(32) } as const;

/** The error, after a look at what every one of them has to be. */
async function errorOf(call: Promise<unknown>): Promise<ComebackError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ComebackError, `not a ComebackError: ${String(error)}`);
    assert.notEqual(error.next ?? "", "", `${error.message} says not what to do next`);
    const shown = JSON.stringify({ ...error, message: error.message, cause: String(error.cause) });
    const deep = `${shown} ${JSON.stringify(error.cause ?? {})} ${error.stack}`;
    assert.doesNotMatch(deep, /secret-of-a-test|Signature=|AWS4-HMAC/);
    return error;
  }
  throw new Error("it did not fail");
}

interface Case {
  readonly answer: StagedAnswer;
  readonly code: ErrorCode;
  readonly says: RegExp;
  readonly retryable?: boolean;
}

const CASES: readonly Case[] = [
  {
    answer: { status: 403, code: "InvalidAccessKeyId" },
    code: "backend.credentials",
    says: /access key key-of-a-test/,
  },
  {
    answer: { status: 403, code: "SignatureDoesNotMatch" },
    code: "backend.credentials",
    says: /secret key/,
  },
  { answer: { status: 400, code: "ExpiredToken" }, code: "backend.credentials", says: /expired/ },
  {
    answer: { status: 403, code: "AccessDenied" },
    code: "backend.permission",
    says: /not allowed/,
  },
  {
    answer: { status: 403, code: "RequestTimeTooSkewed" },
    code: "backend.misconfigured",
    says: /clock/,
  },
  {
    answer: { status: 301, code: "PermanentRedirect" },
    code: "backend.misconfigured",
    says: /region/,
  },
  {
    answer: { status: 503, code: "SlowDown" },
    code: "backend.busy",
    says: /fewer requests/,
    retryable: true,
  },
  {
    answer: { status: 429, code: "TooManyRequests" },
    code: "backend.busy",
    says: /fewer/,
    retryable: true,
  },
  {
    answer: { status: 500, code: "InternalError" },
    code: "backend.io",
    says: /failed/,
    retryable: true,
  },
  {
    answer: { status: 502, code: "BadGateway" },
    code: "backend.io",
    says: /failed/,
    retryable: true,
  },
  { answer: { status: 400, code: "InvalidRequest" }, code: "backend.io", says: /refused/ },
  { answer: { status: 403, code: "QuotaExceeded" }, code: "backend.full", says: /no space/ },
  {
    answer: { status: 400, code: "XAmzContentSHA256Mismatch" },
    code: "backend.io",
    says: /not what was sent/,
    retryable: true,
  },
  {
    answer: { status: 400, code: "RequestTimeout" },
    code: "backend.io",
    says: /failed/,
    retryable: true,
  },
];

for (const { answer, code, says, retryable = false } of CASES) {
  test(`an upload that is answered with ${answer.code}`, async () => {
    await using fixture = await standInFixture();
    fixture.store.stage({ ...answer, method: "PUT" });
    const error = await errorOf(fixture.backend.save(PACK, new Uint8Array(100_000)));
    assert.equal(error.code, code);
    assert.equal(error.retryable, retryable);
    assert.match(error.message, says);
    assert.match(error.why ?? "", new RegExp(`${answer.code}, HTTP ${answer.status}`));
    assert.equal(fixture.store.bucket(BUCKET)?.objects.size, 0);
    // The same backend goes on.
    await fixture.backend.save(PACK, new Uint8Array(100_000));
  });
}

test("each call names the permission that it lacks", async () => {
  await using fixture = await standInFixture();
  const { backend, store } = fixture;
  const denied = { status: 403, code: "AccessDenied", times: 9 } as const;
  store.stage({ ...denied, method: "PUT" });
  store.stage({ ...denied, method: "DELETE" });
  store.stage({ ...denied, method: "GET" });
  const list = async (): Promise<void> => {
    for await (const file of backend.list("pack")) assert.ok(file);
  };
  for (const [call, action] of [
    [() => backend.save(PACK, new Uint8Array(9)), "s3:PutObject"],
    [() => backend.load(PACK), "s3:GetObject"],
    [() => backend.remove(PACK), "s3:DeleteObject"],
    [list, "s3:ListBucket"],
  ] as const) {
    const error = await errorOf(call());
    assert.equal(error.code, "backend.permission");
    assert.ok(error.next?.includes(action), error.message);
  }
});

test("without a bucket or a config there is no repository", async () => {
  await using store = await startS3StandIn();
  const location = `s3:${store.endpoint}/none/here`;
  const open = (): Promise<unknown> => s3BackendFactory.open(location, { env: ENV });
  const noBucket = await errorOf(open());
  assert.equal(noBucket.code, "repository.none");
  assert.equal(noBucket.exitCode, 10);
  assert.match(noBucket.why ?? "", /no bucket none/);
  const made = await s3BackendFactory.create(location, { env: ENV });
  const noConfig = await errorOf(open());
  assert.equal(noConfig.code, "repository.none");
  assert.match(noConfig.why ?? "", /config/);
  await made.save({ type: "config", name: "" }, new Uint8Array(5));
  const exists = await errorOf(s3BackendFactory.create(location, { env: ENV }));
  assert.equal(exists.code, "repository.exists");
  await using opened = await s3BackendFactory.open(location, { env: ENV });
  assert.equal(opened.location, location);
  await made[Symbol.asyncDispose]();
});

test("a store in another region is found, where nobody named one", async () => {
  await using fixture = await standInFixture();
  await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(5));
  const { store, location } = fixture;
  const elsewhere = { status: 400, code: "AuthorizationHeaderMalformed", more: { Region: "eu-1" } };
  store.stage(elsewhere);
  await using backend = await s3BackendFactory.open(location, { env: ENV });
  assert.deepEqual(await backend.stat({ type: "config", name: "" }), { sizeBytes: 5 });
  assert.match(store.requests.at(-1)?.headers.authorization ?? "", /\/eu-1\/s3\/aws4_request/);
  store.stage(elsewhere);
  const settings = new Map([["region", "us-east-1"]]);
  const error = await errorOf(s3BackendFactory.open(location, { env: ENV, settings }));
  assert.equal(error.code, "backend.misconfigured");
  assert.match(error.next ?? "", /s3\.region/);
});

test("credentials: none, half of them, and no need of any", async () => {
  await using fixture = await standInFixture();
  await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(5));
  const { location, store } = fixture;
  const open = (options: OpenBackendOptions): ReturnType<typeof s3BackendFactory.open> =>
    s3BackendFactory.open(location, options);
  const half = await errorOf(open({ env: { AWS_ACCESS_KEY_ID: "key-of-a-test" } }));
  assert.equal(half.code, "backend.credentials");
  assert.match(half.message, /AWS_SECRET_ACCESS_KEY is not set/);
  const settings = new Map([["unsafe-anonymous-auth", "true"]]);
  await using anonymous = await open({ env: {}, settings });
  assert.equal((await anonymous.load({ type: "config", name: "" })).byteLength, 5);
  assert.equal(store.requests.at(-1)?.headers.authorization, undefined);
  const env = { ...ENV, AWS_SESSION_TOKEN: "token-of-a-test" };
  await using withToken = await open({ env });
  assert.ok(withToken.isRemote);
  assert.equal(store.requests.at(-1)?.headers["x-amz-security-token"], "token-of-a-test");
});

test("a host that nobody knows, a port that nobody listens on, a store without TLS", async () => {
  const unknown = await errorOf(
    s3BackendFactory.open("s3:http://no-such-host.invalid/bucket", { env: ENV }),
  );
  assert.equal(unknown.code, "backend.unknown-host");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const gone = once(server, "close");
  server.close();
  await gone;
  const closed = await errorOf(
    s3BackendFactory.open(`s3:http://127.0.0.1:${port}/b`, { env: ENV }),
  );
  assert.equal(closed.code, "backend.unreachable");
  assert.equal(closed.retryable, true);
  await using store = await startS3StandIn();
  const host = store.endpoint.replace("http://", "");
  const plain = await errorOf(s3BackendFactory.open(`s3:https://${host}/b`, { env: ENV }));
  assert.equal(plain.code, "backend.misconfigured");
  assert.match(plain.next ?? "", /s3:http:\/\//);
});

test("an answer that breaks off is no file", async () => {
  await using fixture = await standInFixture();
  const { backend, store } = fixture;
  await backend.save(PACK, new Uint8Array(1000));
  store.stage({ status: 200, code: "x", method: "GET", headers: { "content-length": "1000" } });
  const error = await errorOf(backend.load(PACK));
  assert.equal(error.code, "backend.io");
  assert.equal(error.retryable, true);
});

test("a pause that the store asks for is handed on, in seconds or up to a time", async () => {
  const clock = new SimulatedClock();
  await using fixture = await standInFixture({ open: { clock } });
  const date = new Date(clock.now() + 30_000).toUTCString();
  for (const [status, code] of [
    [503, "SlowDown"],
    [429, "TooManyRequests"],
  ] as const) {
    for (const [asked, retryAfterMs] of [
      ["7", 7_000],
      [date, Date.parse(date) - clock.now()],
    ] as const) {
      const headers = { "retry-after": asked };
      fixture.store.stage({ status, code, method: "PUT", headers });
      const error = await errorOf(fixture.backend.save(PACK, new Uint8Array(9)));
      assert.equal(error.context["retryAfterMs"], retryAfterMs, `${code} ${asked}`);
    }
  }
});
