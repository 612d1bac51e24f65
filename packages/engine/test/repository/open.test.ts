import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { ComebackError, ExitCode, isComebackError } from "@comeback/core";
import { MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { createKeyFile } from "../../src/crypto/key-file.ts";
import { Repository, type RepositoryOptions } from "../../src/repository/repository.ts";
import {
  CHEAP_SCRYPT,
  dataBlob,
  flipBit,
  RepositoryBuilder,
  TEST_PASSWORD,
} from "../repository-builder.ts";

function options(backend: MemoryBackend, password = TEST_PASSWORD): RepositoryOptions {
  return { backend, password, clock: new SimulatedClock(), random: new SeededRandom(3) };
}

/** Adds a key file for another password. Returns its name. */
async function addKey(
  repository: Repository,
  password: string,
  cost = CHEAP_SCRYPT,
): Promise<string> {
  const owner = { username: "u", hostname: "h", created: "2026-01-01T00:00:00Z" };
  const random = new SeededRandom(password.length);
  const bytes = await createKeyFile(repository.key, password, owner, random, cost);
  const name = createHash("sha256").update(bytes).digest("hex");
  await repository.backend.save({ type: "key", name }, bytes);
  return name;
}

function code(expected: string, exitCode?: number): (error: unknown) => boolean {
  return (error) =>
    error instanceof ComebackError &&
    error.code === expected &&
    (exitCode === undefined || error.exitCode === exitCode);
}

describe("a repository", () => {
  it("opens with the password it was made with, in both versions", async () => {
    for (const version of [1, 2] as const) {
      await using builder = await RepositoryBuilder.create({ version });
      const reopened = await builder.reopen();
      const { repository } = builder;
      assert.deepEqual(reopened.config, { ...repository.config, raw: reopened.config.raw });
      assert.equal(reopened.config.version, version);
      assert.deepEqual(reopened.key, repository.key);
      assert.equal(reopened.keyId, repository.keyId);
      assert.equal(reopened.config.chunkerPolynomial >> 53n, 1n, "of degree 53");
    }
  });

  it("is not made where there is one, and the one there stays", async () => {
    await using builder = await RepositoryBuilder.create();
    const before = builder.backend.contents();
    const again = { ...options(builder.backend), scryptCost: CHEAP_SCRYPT };
    await assert.rejects(Repository.init(again), code("repository.exists", ExitCode.failed));
    assert.deepEqual(builder.backend.contents(), before);
  });

  it("is not made and not opened with an empty password", async () => {
    await using builder = await RepositoryBuilder.create();
    await assert.rejects(Repository.init(options(new MemoryBackend(), "")), code("option.invalid"));
    await assert.rejects(Repository.open(options(builder.backend, "")), code("option.invalid"));
  });

  it("that is not there has an exit code of its own", async () => {
    const opening = Repository.open(options(new MemoryBackend()));
    await assert.rejects(opening, code("repository.none", ExitCode.noRepository));
  });

  it("refuses a wrong password, and says nothing of it", async () => {
    await using builder = await RepositoryBuilder.create();
    await assert.rejects(Repository.open(options(builder.backend, "s3cret-guess")), (error) => {
      assert.ok(code("key.wrong-password", ExitCode.wrongPassword)(error));
      const said = JSON.stringify([error, (error as Error).message, (error as ComebackError).why]);
      assert.ok(!said.includes("s3cret-guess"));
      return true;
    });
  });

  it("opens with each of several passwords, damaged keys beside them or not", async () => {
    await using builder = await RepositoryBuilder.create();
    const second = await addKey(builder.repository, "second password");
    const third = await addKey(builder.repository, "third");
    builder.damage("key", third, flipBit(30));
    for (const [password, keyId] of [
      [TEST_PASSWORD, builder.repository.keyId],
      ["second password", second],
    ] as const) {
      const opened = await Repository.open(options(builder.backend, password));
      assert.equal(opened.keyId, keyId);
      assert.deepEqual(opened.key, builder.repository.key);
    }
    await assert.rejects(
      Repository.open(options(builder.backend, "third")),
      code("repository.damaged"),
    );
  });

  it("tries a bounded number of keys", async () => {
    await using builder = await RepositoryBuilder.create();
    for (let i = 0; i < 25; i++) await addKey(builder.repository, "x".repeat(i + 1));
    const loads: string[] = [];
    const backend = builder.backend.sharing();
    const load = backend.load.bind(backend);
    backend.load = (file, loadOptions) => {
      if (file.type === "key") loads.push(file.name);
      return load(file, loadOptions);
    };
    await assert.rejects(Repository.open(options(backend, "no")), code("key.wrong-password"));
    assert.equal(loads.length, 20, "as many as restic tries");
  });

  it("without a single key is named as damaged", async () => {
    await using builder = await RepositoryBuilder.create();
    await builder.backend.remove({ type: "key", name: builder.repository.keyId });
    await assert.rejects(Repository.open(options(builder.backend)), code("repository.damaged"));
  });

  it("finds a blob's intact copy where another copy is damaged or missing", async () => {
    await using builder = await RepositoryBuilder.create();
    const blob = dataBlob("precious");
    const packs = [await builder.pack(blob), await builder.pack(dataBlob("x"), blob)];
    const lost = await builder.pack(dataBlob("y"), blob);
    await builder.index(...packs, lost);
    await builder.backend.remove({ type: "pack", name: lost.id });
    builder.damage("pack", packs[1]!.id, flipBit(packs[1]!.blobs[1]!.offset + 20));
    const { repository } = builder;
    await repository.loadIndex();
    assert.deepEqual(Buffer.from(await repository.loadBlob("data", blob.id)), blob.plaintext);

    builder.damage("pack", packs[0]!.id, flipBit(20));
    await assert.rejects(repository.loadBlob("data", blob.id), (error) => {
      return (
        isComebackError(error, "repository.damaged") && error.message.includes(blob.id.slice(0, 8))
      );
    });
    const unknown = dataBlob("never stored").id;
    await assert.rejects(repository.loadBlob("data", unknown), code("repository.damaged"));
  });

  it("does not hide stored data behind a damaged index", async () => {
    await using builder = await RepositoryBuilder.create();
    const name = await builder.index(await builder.pack(dataBlob("a")));
    builder.damage("index", name, flipBit(-5));
    await assert.rejects(builder.repository.loadIndex(), (error) => {
      return (
        isComebackError(error, "repository.damaged") && error.message.includes(name.slice(0, 8))
      );
    });
  });

  it("forgets its keys when it is closed", async () => {
    const builder = await RepositoryBuilder.create();
    const { key } = builder.repository;
    await builder[Symbol.asyncDispose]();
    for (const part of [key.encrypt, key.macK, key.macR])
      assert.ok(part.every((byte) => byte === 0));
  });
});
