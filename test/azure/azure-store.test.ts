import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { azureBackendFactory } from "@comeback/backend-azure";
import { isComebackError } from "@comeback/core";
import type {
  Backend,
  ComebackError,
  ErrorCode,
  OpenBackendOptions,
  RepositoryFile,
} from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { Azurite } from "../services/azurite/azurite.ts";
import { containerOf, newContainer, openOptions } from "./azure-store.ts";

const MiB = 1024 * 1024;
const CONFIG: RepositoryFile = { type: "config", name: "" };
const HOUR_MS = 3_600_000;
const random = new SeededRandom(11);

const azurite: Azurite = await Azurite.start();
after(() => azurite[Symbol.asyncDispose]());

async function failure(call: Promise<unknown>, code: ErrorCode): Promise<ComebackError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isComebackError(error, code)) return error;
  throw new Error(`expected ${code}`, { cause: error });
}

function newPack(): RepositoryFile {
  return { type: "pack", name: random.hex(32) };
}

function create(location: string, more: OpenBackendOptions = {}): Promise<Backend> {
  return azureBackendFactory.create(location, openOptions(azurite, more));
}

function open(location: string, more: OpenBackendOptions = {}): Promise<Backend> {
  return azureBackendFactory.open(location, openOptions(azurite, more));
}

async function newRepository(): Promise<string> {
  const location = `azure:${newContainer()}:/path`;
  await using backend = await create(location);
  await backend.save(CONFIG, random.bytes(155));
  return location;
}

function credential(): StorageSharedKeyCredential {
  return new StorageSharedKeyCredential(azurite.account.name, azurite.account.key);
}

function bySignature(signature: { toString(): string }): OpenBackendOptions {
  const { name: AZURE_ACCOUNT_NAME } = azurite.account;
  return { env: { AZURE_ACCOUNT_NAME, AZURE_ACCOUNT_SAS: `?${signature.toString()}` } };
}

function accountSignature(permissions: string, expiresInMs = HOUR_MS): OpenBackendOptions {
  const values = {
    services: AccountSASServices.parse("b").toString(),
    resourceTypes: AccountSASResourceTypes.parse("co").toString(),
    permissions: AccountSASPermissions.parse(permissions),
    protocol: SASProtocol.HttpsAndHttp,
    expiresOn: new Date(Date.now() + expiresInMs),
  };
  return bySignature(generateAccountSASQueryParameters(values, credential()));
}

function containerSignature(location: string, permissions: string): OpenBackendOptions {
  const values = {
    containerName: location.split(":")[1] ?? "",
    permissions: ContainerSASPermissions.parse(permissions),
    protocol: SASProtocol.HttpsAndHttp,
    expiresOn: new Date(Date.now() + HOUR_MS),
  };
  return bySignature(generateBlobSASQueryParameters(values, credential()));
}

test("create makes the container, and refuses to make a repository twice", async () => {
  const container = newContainer();
  const location = `azure:${container}:/a`;
  const none = await failure(open(location), "repository.none");
  assert.equal(none.exitCode, 10);
  assert.match(String(none.why), new RegExp(`no container ${container}`));
  {
    await using backend = await create(location);
    assert.equal(backend.location, location);
    // Without its config it is none yet: an interrupted `init` can be repeated.
    await using again = await create(location);
    await again.save(CONFIG, random.bytes(155));
  }
  await failure(create(location), "repository.exists");
  await using _ = await open(location);
  const elsewhere = await failure(open(`azure:${container}:/b`), "repository.none");
  assert.match(String(elsewhere.why), /no blob named config/);
  await using top = await create(`azure:${container}:/`);
  assert.equal(top.location, `azure:${container}:/`);
});

test("a wrong key, and one that belongs to nobody", async () => {
  const location = await newRepository();
  const AZURE_ACCOUNT_NAME = azurite.account.name;
  const key = Buffer.alloc(64, 9).toString("base64");
  const wrong = { env: { AZURE_ACCOUNT_NAME, AZURE_ACCOUNT_KEY: key } };
  const error = await failure(open(location, wrong), "backend.credentials");
  assert.match(String(error.next), /copy the key/);
  assert.ok(!JSON.stringify([error, error.message, error.why, error.next]).includes(key));
});

test("a signature for the account, one for the container, and what they do not allow", async () => {
  const location = await newRepository();
  const pack = newPack();
  for (const options of [accountSignature("rwdlc"), containerSignature(location, "rwdlc")]) {
    await using backend = await open(location, options);
    await backend.save(pack, random.bytes(100));
    assert.equal((await backend.load(pack)).byteLength, 100);
    assert.equal((await Array.fromAsync(backend.list("pack"))).length, 1);
    await backend.remove(pack);
  }
  for (const [options, needed] of [
    [accountSignature("rl"), /write/],
    [containerSignature(location, "rl"), /write/],
  ] as const) {
    await using backend = await open(location, options);
    const error = await failure(backend.save(pack, random.bytes(9)), "backend.permission");
    assert.match(String(error.why), needed);
    await failure(backend.remove(CONFIG), "backend.permission");
  }
  await using blind = await open(location, containerSignature(location, "r"));
  await failure(Array.fromAsync(blind.list("pack")), "backend.permission");
});

test("a signature for a container can make a repository in it, and no other container", async () => {
  const location = await newRepository();
  const [, container] = location.split(":");
  const options = containerSignature(location, "rwdlc");
  await using backend = await create(`azure:${container}:/another`, options);
  await backend.save(CONFIG, random.bytes(155));
  const refused = create(`azure:${newContainer()}:/`, options);
  const error = await refused.then(
    () => assert.fail("it made a container"),
    (reason: unknown) => reason,
  );
  assert.ok(
    isComebackError(error, "backend.permission") || isComebackError(error, "backend.credentials"),
    String(error),
  );
});

test("an expired signature says when it expired", async () => {
  const location = await newRepository();
  const options = accountSignature("rwdlc", -HOUR_MS);
  const error = await failure(open(location, options), "backend.credentials");
  assert.match(String(error.why), /AZURE_ACCOUNT_SAS expired at 20/);
});

test("a file larger than one upload goes in blocks, create-only and checked as well", async () => {
  const location = await newRepository();
  await using backend = await open(location);
  await using other = await open(location);
  const file = newPack();
  const versions = [random.bytes(65 * MiB), random.bytes(65 * MiB)];
  const outcomes = await Promise.allSettled([
    backend.save(file, versions[0]!),
    other.save(file, versions[1]!),
  ]);
  const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
  assert.notEqual(winner, -1, "nobody won");
  const [loser] = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.ok(isComebackError(loser?.reason, "backend.exists"), String(loser?.reason));
  const loaded = await other.load(file);
  assert.equal(Buffer.compare(loaded, versions[winner]!), 0);
  await failure(backend.save(file, versions[0]!), "backend.exists");
});

test("packs of file contents go into the archive, and come back after a thaw", async () => {
  const location = await newRepository();
  const settings = new Map([["access-tier-data", "archive"]]);
  await using backend = await open(location, { settings });
  const [data, tree] = [newPack(), newPack()];
  const content = random.bytes(1000);
  await backend.save(data, content, { packContent: "data" });
  await backend.save(tree, content, { packContent: "tree" });
  const { archive } = backend;
  assert.ok(archive);
  const states = async (): Promise<Record<string, string>> => {
    const all = await Array.fromAsync(archive.states([data.name, tree.name]));
    return Object.fromEntries(all.map(({ name, state }) => [name, state]));
  };
  assert.deepEqual(await states(), { [data.name]: "archived", [tree.name]: "readable" });
  const error = await failure(backend.load(data), "backend.archived");
  assert.match(String(error.next), /thaw/);
  await failure(backend.load(data, { offset: 3, length: 5 }), "backend.archived");
  await failure(backend.save(data, content), "backend.exists");
  assert.equal((await backend.stat(data)).sizeBytes, 1000);
  assert.equal((await Array.fromAsync(backend.list("pack"))).length, 2);
  assert.equal(Buffer.compare(await backend.load(tree), content), 0);
  await archive.thaw(data.name, { tier: "High", days: 1 });
  // The emulator takes no time for it.
  assert.deepEqual(await states(), { [data.name]: "readable", [tree.name]: "readable" });
  assert.equal(Buffer.compare(await backend.load(data), content), 0);
});

test("each tier is the one asked for", async () => {
  const location = await newRepository();
  const [, container = ""] = location.split(":");
  for (const tier of ["Hot", "Cool", "Cold"]) {
    await using backend = await open(location, { settings: new Map([["access-tier", tier]]) });
    const file = newPack();
    await backend.save(file, random.bytes(10), { packContent: "data" });
    const blob = containerOf(azurite, container).getBlobClient(
      `path/data/${file.name.slice(0, 2)}/${file.name}`,
    );
    assert.equal((await blob.getProperties()).accessTier, tier);
  }
});

test("what was stored with another MD5 than it has is not handed on", async () => {
  const location = await newRepository();
  const [, container = ""] = location.split(":");
  await using backend = await open(location);
  const file = newPack();
  const blob = containerOf(azurite, container).getBlockBlobClient(
    `path/data/${file.name.slice(0, 2)}/${file.name}`,
  );
  await blob.upload("damaged at rest", 15);
  await blob.setHTTPHeaders({ blobContentMD5: new Uint8Array(16) });
  const error = await failure(backend.load(file), "backend.io");
  assert.equal(error.retryable, true);
});
