import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { openRest } from "../src/open-store.ts";
import { restStore } from "../src/rest-factory.ts";
import { type Behave, hostileServer, PACK, V2 } from "./hostile-server.ts";

const SOON = { connectMs: 50, idleMs: 50, callMs: 60_000 };

function isStall(error: unknown): boolean {
  assert.ok(error instanceof ComebackError, String(error));
  assert.equal(error.code, "backend.unreachable");
  assert.equal(error.retryable, true);
  assert.match(`${error.message} ${error.why}`, /stalled|does not answer|not done/);
  return true;
}

const silent: Behave = () => undefined;

test("a server that takes a call and says nothing is given up", async () => {
  await using server = await hostileServer(silent, { limits: SOON });
  const { backend } = server;
  await assert.rejects(backend.load(PACK), isStall);
  await assert.rejects(backend.stat(PACK), isStall);
  await assert.rejects(backend.remove(PACK), isStall);
  await assert.rejects(Array.fromAsync(backend.list("pack")), isStall);
});

test("a body that stops in the middle is given up", async () => {
  await using server = await hostileServer(
    (_, response) => {
      response.writeHead(200, { "content-length": "1000", "content-type": V2 });
      response.write("[");
    },
    { limits: SOON },
  );
  await assert.rejects(server.backend.load(PACK), isStall);
  await assert.rejects(Array.fromAsync(server.backend.list("pack")), isStall);
});

test("a server that takes half an upload and no more is given up", async () => {
  await using server = await hostileServer(
    (request, response) => {
      if (request.method === "POST") request.pause();
      else response.writeHead(404).end();
    },
    { limits: SOON },
  );
  await assert.rejects(server.backend.save(PACK, new Uint8Array(64 << 20)), isStall);
});

test("a body that trickles for ever is given up", async () => {
  let timer: NodeJS.Timeout | undefined;
  await using server = await hostileServer(
    (_, response) => {
      response.writeHead(200, { "content-type": V2 }).write("[");
      timer = setInterval(() => response.write(" "), 5);
    },
    { limits: { connectMs: 60_000, idleMs: 60_000, callMs: 1_500 } },
  );
  const listed = Array.fromAsync(server.backend.list("pack"));
  await assert.rejects(listed, isStall).finally(() => clearInterval(timer));
});

test("a connection that is taken and never spoken on is given up", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const location = `rest:https://127.0.0.1:${port}/`;
  try {
    for (const http2 of ["true", "false"]) {
      const settings = new Map([["http2", http2]]);
      const options = { clock: systemClock, settings };
      await assert.rejects(openRest(await restStore(location, options, SOON), {}), isStall);
    }
  } finally {
    server.close();
  }
});

test("time in which the caller is busy is not the server's", async () => {
  const names = Array.from({ length: 3 }, (_, i) => String(i).repeat(64));
  await using server = await hostileServer(
    (_, response) => {
      response.writeHead(200, { "content-type": V2 });
      response.end(JSON.stringify(names.map((name) => ({ name, size: 1 }))));
    },
    { limits: SOON },
  );
  const seen: string[] = [];
  for await (const { name } of server.backend.list("pack")) {
    seen.push(name);
    await systemClock.sleep(SOON.idleMs * 2);
  }
  assert.deepEqual(seen, names);
});
