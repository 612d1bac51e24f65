import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { startS3StandIn } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { makeCorpus } from "../drivers/corpus.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { environmentOf, S3Client } from "./s3-clients.ts";

/** TLS with an authority of one's own, a proxy, and where secrets might be seen. */
const folder = scratchFolder("s3-over-tls");
const store = await startS3StandIn();
after(() => store[Symbol.asyncDispose]());
const storePort = Number(new URL(store.endpoint).port);
const user = { accessKey: "the-access-key", secretKey: "the-very-secret-key" };
const env = { ...environmentOf(user), AWS_SESSION_TOKEN: "the-session-token" };

const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
const selfSigned =
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost" +
  " -addext subjectAltName=DNS:localhost,IP:127.0.0.1";
execFileSync("openssl", [...selfSigned.split(" "), "-keyout", key, "-out", certificate]);

/** Both ends of a connection, tied together until one of them is gone. */
function tie(one: Socket, other: Socket): void {
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
  one.pipe(other).pipe(one);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const tlsPort = await listen(
  createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (socket) =>
    tie(socket, connect(storePort, "127.0.0.1")),
  ),
);
const repository = `s3:https://localhost:${tlsPort}/tls/a`;

test("a certificate of one's own authority is trusted once it is named", async () => {
  const source = makeFolder(folder, "source");
  makeCorpus(source, 601, { small: 10, large: 1 });
  const ours = new S3Client(COMEBACK, repository, env);
  const untrusted = await ours.run(["init"]);
  assertError(untrusted, { exitCode: 1, code: "backend.misconfigured", says: /--cacert/ });
  await ours.done(["--cacert", certificate, "init"]);
  await ours.done(["--cacert", certificate, "backup", source]);
  await ours.done(["--insecure-tls", "check", "--read-data"]);
});

test("a proxy of the environment is used, and passed by where it is told to be", async () => {
  let tunnels = 0;
  const proxy = createHttpServer();
  proxy.on("connect", (request, socket: Socket) => {
    tunnels++;
    const upstream = connect(Number(request.url?.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      tie(socket, upstream);
    });
  });
  const HTTPS_PROXY = `http://127.0.0.1:${await listen(proxy)}`;
  const trusting = ["--cacert", certificate, "snapshots"];
  const proxied = new S3Client(COMEBACK, repository, { ...env, HTTPS_PROXY });
  await proxied.done(trusting);
  assert.ok(tunnels > 0, "the proxy was not asked");
  const before = tunnels;
  const passedBy = { ...env, HTTPS_PROXY, NO_PROXY: "localhost" };
  await new S3Client(COMEBACK, repository, passedBy).done(trusting);
  assert.equal(tunnels, before);
});

test("no secret is in what a failing command says, however much it says", async () => {
  const plain = new S3Client(COMEBACK, `s3:${store.endpoint}/tls/a`, {
    ...env,
    COMEBACK_DEBUG: "1",
  });
  for (const code of ["SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken"]) {
    store.stage({ status: 403, code, method: "GET" });
    const failed = await plain.run(["-vv", "snapshots"]);
    assert.equal(failed.exitCode, 1, failed.describe());
    assert.match(failed.stderr, /backend\.credentials/);
    const said = `${failed.stdout.toString()} ${failed.stderr}`;
    assert.doesNotMatch(said, /the-very-secret-key|the-session-token|Signature=/);
  }
});
