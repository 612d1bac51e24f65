import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { HttpFaultProxy } from "../../src/fault-proxy/index.ts";

const BODY = "0123456789".repeat(1000);
let server: Server;
let target: { port: number };
const served: string[] = [];

before(async () => {
  server = createServer((request, response) => {
    void Array.fromAsync(request as AsyncIterable<Buffer>).then((chunks) => {
      const sent = Buffer.concat(chunks).toString();
      served.push(`${request.method} ${request.url} ${request.headers.host} ${sent}`);
      response.setHeader("x-twice", ["a", "b"]);
      response.end(BODY);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  target = { port: (server.address() as AddressInfo).port };
});
after(() => void server.close());

function url(proxy: HttpFaultProxy, path = "/a?b=c"): string {
  return `http://127.0.0.1:${proxy.port}${path}`;
}

test("requests and answers pass as they are", async () => {
  await using proxy = await HttpFaultProxy.start(target);
  const response = await fetch(url(proxy), { method: "PUT", body: "content" });
  assert.equal(await response.text(), BODY);
  assert.equal(response.headers.get("x-twice"), "a, b");
  assert.equal(served.at(-1), `PUT /a?b=c 127.0.0.1:${proxy.port} content`);
  assert.deepEqual(proxy.requests, [{ method: "PUT", url: "/a?b=c" }]);
});

test("staged answers come in the place of the server's, for the requests they are for", async () => {
  await using proxy = await HttpFaultProxy.start(target);
  const fault = { kind: "answer", status: 503, headers: { "retry-after": "7" } } as const;
  proxy.stage({ fault, match: ({ method }) => method === "PUT", when: 2 });
  proxy.stage({ fault: { kind: "answer", status: 429, body: "slow down" }, when: 4 });
  const before = served.length;
  const put = { method: "PUT", body: "x".repeat(200_000) };
  assert.equal((await fetch(url(proxy), put)).status, 200);
  assert.equal((await fetch(url(proxy))).status, 200);
  const busy = await fetch(url(proxy), put);
  assert.equal(busy.status, 503);
  assert.equal(busy.headers.get("retry-after"), "7");
  assert.equal(await (await fetch(url(proxy))).text(), "slow down");
  assert.equal((await fetch(url(proxy), put)).status, 200);
  assert.equal(served.length, before + 3);
});

test("a lost answer is one to a request that the server has served; a dropped one is not", async () => {
  await using proxy = await HttpFaultProxy.start(target);
  const before = served.length;
  proxy.stage({ fault: { kind: "lost-answer" } });
  await assert.rejects(fetch(url(proxy), { method: "PUT", body: "mine" }));
  assert.equal(served.length, before + 1);
  proxy.stage({ fault: { kind: "drop" } });
  await assert.rejects(fetch(url(proxy), { method: "PUT", body: "mine" }));
  assert.equal(served.length, before + 1);
  assert.equal((await fetch(url(proxy))).status, 200);
});

test("answers are cut, damaged, late, or never come", async () => {
  await using proxy = await HttpFaultProxy.start(target);
  proxy.stage({ fault: { kind: "truncate", keepBytes: 5000 } });
  const cut = await fetch(url(proxy));
  await assert.rejects(cut.text());
  proxy.stage({ fault: { kind: "flip", atByte: 4321 } });
  const damaged = Buffer.from(await (await fetch(url(proxy))).arrayBuffer());
  const expected = Buffer.from(BODY);
  expected[4321]! ^= 1;
  assert.equal(Buffer.compare(damaged, expected), 0);
  proxy.stage({ fault: { kind: "delay", delayMs: 30 } });
  assert.equal(await (await fetch(url(proxy))).text(), BODY);
  proxy.stage({ fault: { kind: "no-answer" } });
  const controller = new AbortController();
  const waiting = assert.rejects(fetch(url(proxy), { signal: controller.signal }));
  while (proxy.requests.length < 4) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await waiting;
});
