import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import type { ErrorCode } from "@comeback/core";
import { hostileServer, PACK, V2 } from "./hostile-server.ts";

const SECRET = "p4ssw0rd-of-ada";

async function errorOf(
  status: number,
  headers: Record<string, string> = {},
  text = "",
): Promise<ComebackError> {
  const login = `ada:${SECRET}@`;
  await using server = await hostileServer(
    (_, response) => void response.writeHead(status, headers).end(text),
    { login },
  );
  const [outcome] = await Promise.allSettled([server.backend.load(PACK)]);
  assert.equal(outcome.status, "rejected");
  assert.ok(outcome.reason instanceof ComebackError, String(outcome.reason));
  assert.ok(!server.backend.location.includes("ada"), server.backend.location);
  return outcome.reason;
}

const CASES: readonly (readonly [
  status: number,
  code: ErrorCode,
  isRetryable: boolean,
  says: RegExp,
])[] = [
  [302, "backend.misconfigured", false, /refers us/],
  [400, "backend.misconfigured", false, /rest:https:/],
  [401, "backend.credentials", false, /COMEBACK_REST_USERNAME/],
  [403, "backend.permission", false, /may use this path/],
  [404, "backend.not-found", false, /is not in rest:http:/],
  [405, "backend.misconfigured", false, /check the URL/],
  [408, "backend.io", true, /log/],
  [413, "backend.misconfigured", false, /client_max_body_size/],
  [429, "backend.busy", true, /try again later/],
  [500, "backend.io", true, /log/],
  [501, "backend.io", false, /log/],
  [502, "backend.io", true, /log/],
  [503, "backend.busy", true, /try again later/],
  [507, "backend.full", false, /free space/],
];

test("each refusal has an error of its own, and none tells a secret", async () => {
  for (const [status, code, retryable, says] of CASES) {
    const error = await errorOf(status);
    const all = [error.message, error.why, error.next, JSON.stringify(error.context)].join("\n");
    assert.equal(error.code, code, String(status));
    assert.equal(error.retryable, retryable, String(status));
    assert.match(all, says, String(status));
    assert.ok(!all.includes(SECRET) && !all.includes("ada:"), all);
  }
});

test("a server that asks for a pause is told in the context", async () => {
  const error = await errorOf(503, { "retry-after": "7" });
  assert.equal(error.context["retryAfterMs"], 7000);
  assert.equal((await errorOf(429)).context["retryAfterMs"], undefined);
});

test("what a server says is shown, unless it is a page", async () => {
  const plain = { "content-type": "text/plain; charset=utf-8" };
  assert.match((await errorOf(500, plain, "disk on fire\nmore")).why ?? "", /\(disk on fire\)/);
  const page = { "content-type": "text/html" };
  assert.doesNotMatch((await errorOf(500, page, "<html>fire")).why ?? "", /fire/);
  const endless = "x".repeat(1_000_000);
  assert.ok(((await errorOf(500, plain, endless)).why ?? "").length < 400);
  assert.equal((await errorOf(500, plain, "no space left on device")).code, "backend.full");
  const rclone = "Post request rcat error: preallocate: file too big for remaining disk space";
  assert.equal((await errorOf(500, plain, rclone)).code, "backend.full");
});

test("a redirect is not followed, and nobody else gets our password", async () => {
  await using thief = await hostileServer((_, response) => void response.end("mine"));
  const location = `http://ada:${SECRET}@127.0.0.1:${thief.port}/data/?token=1`;
  for (const status of [301, 302, 303, 307, 308]) {
    const error = await errorOf(status, { location });
    assert.match(error.message, new RegExp(`refers us to 127.0.0.1:${thief.port}$`));
    assert.ok(!`${error.message}${error.why}${error.next}`.includes(SECRET));
  }
  assert.deepEqual(thief.seen, []);
});

test("a removal that an append-only server refuses says so; a missing file is removed", async () => {
  let status = 403;
  await using server = await hostileServer((_, response) => void response.writeHead(status).end());
  await assert.rejects(server.backend.remove(PACK), (error: unknown) => {
    assert.ok(error instanceof ComebackError);
    assert.equal(error.code, "backend.permission");
    assert.match(error.next ?? "", /append-only/);
    return true;
  });
  status = 404;
  await server.backend.remove(PACK);
  assert.deepEqual(new Set(server.seen), new Set([`DELETE /data/${PACK.name}`]));
});

test("one connection does for one call after another, whatever is answered", async () => {
  const bodies = [Buffer.alloc(10_000), Buffer.alloc(0), Buffer.alloc(9)];
  let turn = 0;
  await using server = await hostileServer((request, response) => {
    request.resume();
    if (request.url?.endsWith("/") === true) {
      response.writeHead(200, { "content-type": V2 }).end("[]");
    } else if (turn % 4 === 3 || request.method === "POST") {
      // Node does not keep a connection after a HEAD that says no length; real servers say it.
      const isHead = request.method === "HEAD";
      response.writeHead(turn % 4 === 3 ? 404 : 200, { "content-length": 8 });
      response.end(isHead ? undefined : "not here");
    } else {
      const body = bodies[turn % 4] ?? Buffer.alloc(0);
      response.writeHead(200, { "content-length": body.byteLength });
      response.end(request.method === "HEAD" ? undefined : body);
    }
  });
  const { backend } = server;
  for (turn = 0; turn < 12; turn++) {
    const calls = [() => backend.load(PACK), () => backend.stat(PACK), () => backend.remove(PACK)];
    for (const call of calls) await Promise.allSettled([call()]);
    if (turn % 4 === 3) await Promise.allSettled([backend.save(PACK, new Uint8Array(9))]);
    assert.deepEqual(await Array.fromAsync(backend.list("pack")), []);
  }
  assert.ok(server.seen.length > 48);
  assert.equal(server.connections(), 1);
});
