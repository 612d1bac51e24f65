import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { Azurite } from "../services/azurite/azurite.ts";
import { makeCertificate } from "../services/azurite/certificate.ts";
import { AzureClient } from "./azure-client.ts";
import { newContainer } from "./azure-store.ts";

/**
 * Identities instead of keys. The emulator takes a token as Azure does, but for its signature; who
 * hands it out are stand-ins: a program that answers as `az`, and a machine's own identity service.
 */
const folder = scratchFolder("azure-identity");
const tls = makeCertificate(makeFolder(folder, "tls"), ["127.0.0.1"]);
let azurite: Azurite;

before(async () => {
  azurite = await Azurite.start({ tls });
});
after(() => azurite[Symbol.asyncDispose]());

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

function newToken(): { accessToken: string; expires_on: number } {
  const seconds = Math.floor(Date.now() / 1000);
  const tenant = "ab1f708d-50f6-404c-a006-d71b2ac7a606";
  const claims = {
    aud: "https://storage.azure.com",
    iss: `https://sts.windows.net/${tenant}/`,
    iat: seconds - 60,
    nbf: seconds - 60,
    exp: seconds + 3600,
    tid: tenant,
  };
  const accessToken = `${encoded({ typ: "JWT", alg: "none" })}.${encoded(claims)}.c2lnbmVk`;
  return { accessToken, expires_on: seconds + 3600 };
}

function clientWith(env: Readonly<Record<string, string>>): AzureClient {
  const flags = ["-o", `azure.endpoint=${azurite.endpoint}`, "--cacert", tls.authorityPath];
  const repository = `azure:${newContainer()}:/`;
  const account = { AZURE_ACCOUNT_NAME: azurite.account.name, ...env };
  return new AzureClient({ ...COMEBACK, flags }, repository, account);
}

/** A folder with an `az` that answers as the real one does to `az account get-access-token`. */
function standInForAz(answer: string): string {
  const programs = mkdtempSync(join(folder, "az-"));
  writeFileSync(join(programs, "az"), `#!/bin/sh\n${answer}\n`);
  chmodSync(join(programs, "az"), 0o755);
  return `${programs}:${process.env["PATH"]}`;
}

test("the identity of `az login`, by demand and in the order of all", async () => {
  const PATH = standInForAz(`echo '${JSON.stringify(newToken())}'`);
  const demanded = clientWith({ AZURE_FORCE_CLI_CREDENTIAL: "true", PATH });
  await demanded.done(["init"]);
  assert.deepEqual(await demanded.snapshots(), []);
  const inOrder = clientWith({ AZURE_TOKEN_CREDENTIALS: "dev", PATH });
  await inOrder.done(["init"]);
  assert.deepEqual(await inOrder.snapshots(), []);
});

test("the identity that a machine has of its own", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.url));
    const { accessToken: access_token, expires_on } = newToken();
    response.setHeader("content-type", "application/json");
    const token = { access_token, expires_on: String(expires_on), token_type: "Bearer" };
    response.end(JSON.stringify({ ...token, resource: "https://storage.azure.com" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const IDENTITY_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  try {
    const env = { IDENTITY_ENDPOINT, IDENTITY_HEADER: "stand-in", AZURE_TOKEN_CREDENTIALS: "prod" };
    const client = clientWith(env);
    await client.done(["init"]);
    assert.deepEqual(await client.snapshots(), []);
    assert.ok(asked.length > 0);
    for (const url of asked) assert.match(url, /resource=https%3A%2F%2Fstorage\.azure\.com/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("no identity, or one that is not signed in, says what can be done", async () => {
  const PATH = standInForAz(`echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`);
  for (const env of [
    { AZURE_FORCE_CLI_CREDENTIAL: "1", PATH },
    { AZURE_TOKEN_CREDENTIALS: "dev", PATH },
  ]) {
    const { exitCode, stderr } = await clientWith(env).run(["snapshots"]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /\[backend\.credentials\]/);
    assert.match(stderr, /az login/);
    assert.match(stderr, /AZURE_ACCOUNT_KEY/);
  }
});
