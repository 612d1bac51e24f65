import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import type { Agent } from "node:http";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { makeAgent } from "../src/azure-agent.ts";
import { respond, StandIn } from "./stand-in.ts";

const COMMON = { isEncrypted: false, maxConnections: 3, idleTimeoutMs: 60_000, tls: {}, env: {} };

async function ask(endpoint: string, agent: Agent): Promise<string> {
  const request = get(`${endpoint}/x`, { agent });
  const answered = once(request, "response");
  // It also tells of what the reader of the answer hears.
  request.on("error", () => {});
  const [response] = (await answered) as [AsyncIterable<Buffer>];
  const parts = await Array.fromAsync(response);
  return Buffer.concat(parts).toString();
}

test("a connection on which nothing comes is given up, before an answer and within it", async () => {
  await using standIn = await StandIn.start();
  const impatient = makeAgent({ ...COMMON, idleTimeoutMs: 30 });
  standIn.answer = () => {};
  await assert.rejects(ask(standIn.endpoint, impatient), { code: "ETIMEDOUT" });
  impatient.destroy();
  const agent = makeAgent({ ...COMMON, idleTimeoutMs: 1000 });
  standIn.answer = (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("part");
  };
  // Of an answer that has begun it is said that it broke off.
  await assert.rejects(ask(standIn.endpoint, agent), /ECONNRESET|ETIMEDOUT|aborted|too long/);
  agent.destroy();
});

test("there are never more connections than allowed", async () => {
  await using standIn = await StandIn.start();
  const agent = makeAgent(COMMON);
  const waiting: (() => void)[] = [];
  const state = { most: 0 };
  standIn.answer = (_, response) => {
    waiting.push(() => respond(response, 200, "done"));
    state.most = Math.max(state.most, waiting.length);
    // Each is answered once as many as can come are here, or all that are left.
    if (waiting.length === 3) for (const answer of waiting.splice(0)) answer();
  };
  const asked = Array.from({ length: 12 }, () => ask(standIn.endpoint, agent));
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(["done"]));
  assert.equal(state.most, 3);
  agent.destroy();
});

test("a proxy of the environment is used, except where NO_PROXY says otherwise", async () => {
  await using proxy = await StandIn.start();
  await using service = await StandIn.start();
  proxy.answer = (request, response) => respond(response, 200, `proxied ${request.url}`);
  service.answer = (_, response) => respond(response, 200, "direct");
  const HTTP_PROXY = new URL(proxy.endpoint).origin;
  const through = makeAgent({ ...COMMON, env: { HTTP_PROXY } });
  assert.equal(await ask(service.endpoint, through), `proxied ${service.endpoint}/x`);
  const past = makeAgent({ ...COMMON, env: { HTTP_PROXY, no_proxy: "127.0.0.1" } });
  assert.equal(await ask(service.endpoint, past), "direct");
  for (const agent of [through, past]) agent.destroy();
});

test("certificates that cannot be used are named", () => {
  const make = (tls: object): unknown => makeAgent({ ...COMMON, isEncrypted: true, tls });
  for (const tls of [
    { caCertificatePaths: ["/nonexistent/ca.pem"] },
    { clientCertificatePath: "/nonexistent/client.pem" },
    { clientCertificatePath: import.meta.filename },
  ]) {
    assert.throws(
      () => make(tls),
      (error) => isComebackError(error, "option.invalid"),
    );
  }
});
