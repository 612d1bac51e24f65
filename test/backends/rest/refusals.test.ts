import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { restBackendFactory } from "@comeback/backend-rest";
import { ComebackError } from "@comeback/core";
import type { ErrorCode, OpenBackendOptions } from "@comeback/core";
import { freePorts } from "../../drivers/free-ports.ts";
import { memoryFolder } from "../../drivers/scratch.ts";
import { makeCertificates } from "../../services/rclone/certificates.ts";
import {
  type RestService,
  startRcloneServer,
  startRestServer,
} from "../../services/rclone/rest-servers.ts";

const scratch = memoryFolder("rest-refusals");
const certificates = makeCertificates(scratch);
const PACK = { type: "pack", name: "ab".repeat(32) } as const;
const LOCK = { type: "lock", name: "cd".repeat(32) } as const;
const CONFIG = { type: "config", name: "" } as const;

async function openFails(
  location: string,
  options: OpenBackendOptions,
  expected: { readonly code: ErrorCode; readonly says: RegExp },
): Promise<void> {
  for (const settings of [new Map([["http2", "true"]]), new Map<string, string>()]) {
    await assert.rejects(
      restBackendFactory.open(location, { env: {}, settings, ...options }),
      (error: unknown) => {
        assert.ok(error instanceof ComebackError, String(error));
        assert.equal(error.code, expected.code, `${error.message}: ${error.why}`);
        assert.match(`${error.message}: ${error.why}\n${error.next}`, expected.says);
        return true;
      },
    );
  }
}

test("a path without a repository, on both servers", async () => {
  const data = join(scratch, "none");
  for (const start of [startRestServer, startRcloneServer]) {
    await using server = await start({ data });
    const none = { code: "repository.none", says: /there is no repository at rest:/ } as const;
    await openFails(`${server.url}/nowhere/`, {}, none);
  }
});

test("a wrong password, and none, on both servers", async () => {
  const user = { name: "ada", password: "right" };
  for (const start of [startRestServer, startRcloneServer]) {
    await using server = await start({ data: join(scratch, start.name), user });
    const refused = { code: "backend.credentials", says: /does not let us in/ } as const;
    await openFails(server.url.replace(":right@", ":wr0ng@"), {}, refused);
    await openFails(server.url.replace("ada:right@", ""), {}, refused);
    const env = { COMEBACK_REST_USERNAME: "ada", COMEBACK_REST_PASSWORD: "right" };
    const none = { code: "repository.none", says: /init/ } as const;
    await openFails(server.url.replace("ada:right@", ""), { env }, none);
  }
});

test("nothing listens, and no such host", async () => {
  const [port] = await freePorts(1);
  const refused = { code: "backend.unreachable", says: /nothing listens there/ } as const;
  await openFails(`rest:http://127.0.0.1:${port}/`, {}, refused);
  await openFails(`rest:https://127.0.0.1:${port}/`, {}, refused);
  const unknown = { code: "backend.unknown-host", says: /no address is known/ } as const;
  await openFails("rest:http://no-such-host.invalid/", {}, unknown);
  const missing = { code: "backend.unreachable", says: /no such socket/ } as const;
  await openFails("rest:http+unix:///no/such/socket:/", {}, missing);
});

test("certificates that cannot be trusted, each with its reason", async () => {
  const tls = { caCertificatePaths: [certificates.authority.certificate] };
  const strangers = { caCertificatePaths: [certificates.stranger.certificate] };
  const cases = [
    ["server", {}, /authority that is not trusted here[\s\S]*--cacert/],
    ["server", { tls: strangers }, /authority that is not trusted here/],
    ["expired", { tls }, /has expired/],
    ["elsewhere", { tls }, /is for another name/],
  ] as const;
  for (const [name, options, says] of cases) {
    await using server = await tlsServer(name);
    await openFails(server.url, options, { code: "backend.misconfigured", says });
    const anyone = { tls: { isInsecure: true } };
    await openFails(server.url, anyone, { code: "repository.none", says: /no repository/ });
  }
  await using server = await tlsServer("server");
  await openFails(server.url, { tls }, { code: "repository.none", says: /no repository/ });
});

function tlsServer(name: "server" | "expired" | "elsewhere"): Promise<RestService> {
  return startRestServer({ data: join(scratch, "tls"), tls: certificates[name] });
}

test("TLS where there is none, and the other way round", async () => {
  await using plain = await startRestServer({ data: join(scratch, "no-tls") });
  const noTls = { code: "backend.misconfigured", says: /rest:http:/ } as const;
  await openFails(plain.url.replace("http:", "https:"), {}, noTls);
  await using secure = await tlsServer("server");
  const wantsTls = { code: "backend.misconfigured", says: /rest:https:/ } as const;
  await openFails(secure.url.replace("https:", "http:"), {}, wantsTls);
});

test("a client certificate that is missing, or of a stranger", async () => {
  await using server = await startRcloneServer({
    data: ":memory:x",
    tls: certificates.server,
    clientAuthority: certificates.authority.certificate,
  });
  const caCertificatePaths = [certificates.authority.certificate];
  const says = /client certificate|broke off/;
  for (const client of [{}, { clientCertificatePath: certificates.stranger.both }]) {
    const tls = { caCertificatePaths, ...client };
    await assert.rejects(restBackendFactory.open(server.url, { tls }), (error: unknown) => {
      assert.ok(error instanceof ComebackError);
      assert.match(error.message, says);
      return true;
    });
  }
});

test("certificate files that are none", async () => {
  const place = "rest:https://127.0.0.1:1/";
  for (const path of ["/no/such/file", "/bin/sh"]) {
    const bad = { code: "option.invalid", says: new RegExp(path) } as const;
    await openFails(place, { tls: { caCertificatePaths: [path] } }, bad);
    await openFails(place, { tls: { clientCertificatePath: path } }, bad);
  }
  const halves = { clientCertificatePath: certificates.client.certificate };
  const half = { code: "option.invalid", says: /with a certificate and its key/ } as const;
  await openFails(place, { tls: halves }, half);
});

test("an append-only server keeps everything but locks, on both servers", async () => {
  for (const start of [startRestServer, startRcloneServer]) {
    const data = join(scratch, `append-${start.name}`);
    await using server = await start({ data, isAppendOnly: true, trustsNames: true });
    const location = `${server.url}/repository/`;
    await using backend = await restBackendFactory.create(location);
    for (const file of [CONFIG, PACK, LOCK]) await backend.save(file, new Uint8Array(9));
    await backend.remove(LOCK);
    for (const file of [CONFIG, PACK]) {
      await assert.rejects(backend.remove(file), { code: "backend.permission" });
      await assert.rejects(backend.save(file, new Uint8Array(8)), { code: "backend.exists" });
      assert.deepEqual(await backend.stat(file), { sizeBytes: 9 });
    }
    assert.deepEqual(await Array.fromAsync(backend.list("lock")), []);
    const taken = { code: "repository.exists" };
    await assert.rejects(restBackendFactory.create(location), taken);
  }
});

test("a server whose space is used up", async () => {
  const data = join(scratch, "full");
  await using server = await startRestServer({ data, trustsNames: true, maxSizeBytes: 5_000 });
  await using backend = await restBackendFactory.create(`${server.url}/repository/`);
  await backend.save(CONFIG, new Uint8Array(100));
  await assert.rejects(backend.save(PACK, new Uint8Array(10_000)), { code: "backend.full" });
  assert.deepEqual(await Array.fromAsync(backend.list("pack")), []);
});

test("a file that is not what its name says is refused by rest-server", async () => {
  await using server = await startRestServer({ data: join(scratch, "verified") });
  await using backend = await restBackendFactory.create(`${server.url}/repository/`);
  const damaged = { code: "backend.io", retryable: true };
  await assert.rejects(backend.save(PACK, new Uint8Array(10_000)), damaged);
  assert.deepEqual(await Array.fromAsync(backend.list("pack")), []);
});
