import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { ComebackError } from "@comeback/core";
import type { Backend, ErrorCode } from "@comeback/core";
import { SimulatedClock } from "@comeback/testkit";
import { KEY, refuse, respond, SAS, SIGNATURE, StandIn } from "./stand-in.ts";

const PACK = { type: "pack", name: "ab".repeat(32) } as const;
const BY_KEY = { AZURE_ACCOUNT_KEY: KEY };
const BY_SIGNATURE = { AZURE_ACCOUNT_SAS: SAS };
const NOW_MS = Date.UTC(2026, 5, 1);

async function failure(call: Promise<unknown>): Promise<ComebackError> {
  const error = await call.then(
    () => assert.fail("it succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ComebackError, inspect(error));
  assertNoSecret(error);
  return error;
}

function assertNoSecret(error: ComebackError): void {
  const everything = [
    inspect(error, { depth: 20, showHidden: true, getters: true }),
    JSON.stringify(error),
    error.stack ?? "",
    [error.message, error.why, error.next].join("\n"),
    inspect(error.cause, { depth: 20, showHidden: true }),
  ].join("\n");
  for (const secret of [KEY, SIGNATURE, encodeURIComponent(SIGNATURE), "SharedKey"]) {
    assert.ok(!everything.includes(secret), everything);
  }
}

async function names(backend: Backend): Promise<string[]> {
  return await Array.fromAsync(backend.list("pack"), ({ name }) => name);
}

const CASES: readonly (readonly [number, string, ErrorCode, boolean, RegExp])[] = [
  [503, "ServerBusy", "backend.busy", true, /later/],
  [429, "TooManyRequests", "backend.busy", true, /later/],
  [500, "OperationTimedOut", "backend.unreachable", true, /timed out/],
  [500, "InternalError", "backend.io", true, /failed/],
  [400, "InvalidInput", "backend.io", false, /failed/],
  [
    403,
    "AuthorizationPermissionMismatch",
    "backend.permission",
    false,
    /Storage|signature|network/,
  ],
  [403, "AuthorizationSourceIPMismatch", "backend.permission", false, /address/],
  [403, "KeyBasedAuthenticationNotPermitted", "backend.permission", false, /keys/],
  [403, "AccountIsDisabled", "backend.permission", false, /disabled/],
  [404, "ContainerNotFound", "backend.misconfigured", false, /no container backups/],
  [409, "BlobArchived", "backend.archived", false, /thaw/],
  [409, "BlobBeingRehydrated", "backend.archived", false, /on its way out/],
  [409, "BlobImmutableDueToPolicy", "backend.retained", false, /policy/],
  [507, "InsufficientStorage", "backend.full", false, /no space/],
];

test("a pause that the service asks for is handed on, in seconds or up to a time", async () => {
  await using standIn = await StandIn.start();
  const clock = new SimulatedClock(NOW_MS);
  await using backend = await standIn.open(BY_KEY, clock);
  const date = new Date(NOW_MS + 30_000).toUTCString();
  for (const [status, code] of [
    [503, "ServerBusy"],
    [429, "TooManyRequests"],
  ] as const) {
    for (const [asked, retryAfterMs] of [
      ["7", 7_000],
      [date, 30_000],
    ] as const) {
      standIn.answer = (_, response) => refuse(response, status, code, { "retry-after": asked });
      const error = await failure(backend.save(PACK, new Uint8Array(9)));
      assert.equal(error.context["retryAfterMs"], retryAfterMs, `${code} ${asked}`);
    }
  }
});

test("each refusal of the service has its own error, whoever asked", async () => {
  await using standIn = await StandIn.start();
  for (const env of [BY_KEY, BY_SIGNATURE]) {
    await using backend = await standIn.open(env);
    for (const [status, code, expected, retryable, text] of CASES) {
      standIn.answer = (_, response) => refuse(response, status, code);
      for (const call of [
        () => backend.load(PACK),
        () => backend.remove(PACK),
        () => names(backend),
      ]) {
        const error = await failure(call());
        assert.equal(error.code, expected, `${code}: ${inspect(error)}`);
        assert.equal(error.retryable, retryable, code);
        assert.match([error.message, error.why, error.next].join("\n"), text);
      }
    }
  }
});

test("what is missing to a signature is named by the call that was refused", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open(BY_SIGNATURE);
  standIn.answer = (_, response) => refuse(response, 403, "AuthorizationPermissionMismatch");
  for (const [call, needed] of [
    [() => backend.load(PACK), /do not allow to read/],
    [() => backend.save(PACK, new Uint8Array(9)), /do not allow to write and create/],
    [() => backend.remove(PACK), /do not allow to delete/],
    [() => names(backend), /do not allow to list/],
  ] as const) {
    const error = await failure(call());
    assert.equal(error.code, "backend.permission");
    assert.match(String(error.why), needed);
    assert.match(String(error.next), /read, list, create, write and delete/);
  }
});

test("an unknown signer: the key, the signature and its times, or the clock", async () => {
  await using standIn = await StandIn.start();
  const atServiceMs = { now: NOW_MS };
  standIn.answer = (_, response) =>
    refuse(response, 403, "AuthenticationFailed", {
      date: new Date(atServiceMs.now).toUTCString(),
    });
  const whys = async (env: Record<string, string>, nowMs: number): Promise<ComebackError> => {
    await using backend = await standIn.open(env, new SimulatedClock(nowMs));
    const error = await failure(backend.load(PACK));
    assert.equal(error.code, "backend.credentials");
    assert.equal(error.retryable, false);
    return error;
  };
  assert.match(String((await whys(BY_KEY, NOW_MS)).why), /AZURE_ACCOUNT_KEY is not a key/);
  assert.match(String((await whys(BY_SIGNATURE, NOW_MS)).why), /not signed with a key/);
  const skewed = await whys(BY_KEY, NOW_MS + 3_600_000);
  assert.match(String(skewed.why), /clock is 60 minutes ahead of/);
  assert.match(String((await whys(BY_KEY, NOW_MS - 3_600_000)).why), /60 minutes behind/);
  for (const [nowMs, why] of [
    [Date.UTC(2027, 0, 2), /expired at 2026-12-31T00:00:00.000Z/],
    [Date.UTC(2025, 0, 2), /does not hold before 2026-01-01T00:00:00.000Z/],
  ] as const) {
    atServiceMs.now = nowMs;
    assert.match(String((await whys(BY_SIGNATURE, nowMs)).why), why);
  }
});

test("a name that is taken is not written over, nor is one in the archive", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open(BY_KEY);
  for (const code of ["BlobAlreadyExists", "BlobArchived"]) {
    standIn.answer = (request, response) => {
      assert.equal(request.headers["if-none-match"], "*");
      refuse(response, 409, code);
    };
    const error = await failure(backend.save(PACK, new Uint8Array(9)));
    assert.equal(error.code, "backend.exists");
  }
});

test("a missing blob is removed already, and a missing container is an error", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open(BY_KEY);
  await backend.remove(PACK);
  standIn.answer = (_, response) => refuse(response, 404, "ContainerNotFound");
  assert.equal((await failure(backend.remove(PACK))).code, "backend.misconfigured");
});

test("an account that does not exist, and a port where nobody listens", async () => {
  const { azureBackendFactory } = await import("../src/index.ts");
  const open = (endpoint: string): Promise<unknown> =>
    azureBackendFactory.open("azure:backups:/", {
      env: { AZURE_ACCOUNT_NAME: "myaccount", ...BY_KEY },
      settings: new Map([["endpoint", endpoint]]),
    });
  const unknown = await failure(open("http://myaccount.blob.comeback.invalid"));
  assert.equal(unknown.code, "backend.unknown-host");
  assert.match(String(unknown.next), /AZURE_ACCOUNT_NAME/);
  const silent = await failure(open("http://127.0.0.1:1/myaccount"));
  assert.equal(silent.code, "backend.unreachable");
  assert.equal(silent.retryable, true);
});

test("a connection that breaks off, before the answer or in its middle", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open(BY_SIGNATURE);
  standIn.answer = (request) => request.socket.destroy();
  for (const call of [
    () => backend.load(PACK),
    () => backend.save(PACK, new Uint8Array(9)),
    () => names(backend),
  ]) {
    const error = await failure(call());
    assert.equal(error.code, "backend.unreachable", inspect(error));
    assert.equal(error.retryable, true);
  }
  standIn.answer = (request, response) => {
    response.writeHead(200, { "content-length": "100", etag: '"1"' });
    response.write("part", () => request.socket.destroy());
  };
  const error = await failure(backend.load(PACK));
  assert.equal(error.code, "backend.unreachable", inspect(error));
  assert.equal(error.retryable, true);
});

test("no call is repeated behind our back", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open(BY_KEY);
  standIn.answer = (_, response) => refuse(response, 503, "ServerBusy");
  standIn.requests.length = 0;
  await failure(backend.load(PACK));
  await failure(backend.save(PACK, new Uint8Array(9)));
  await failure(backend.stat(PACK));
  assert.equal(standIn.requests.length, 3);
  standIn.answer = (_, response) => respond(response, 200, "whole", { "content-length": "5" });
  assert.equal((await backend.load(PACK)).byteLength, 5);
});
