import assert from "node:assert/strict";
import { test } from "node:test";
import { type ComebackError, isComebackError, KEYS_TRIED_MAX } from "@comeback/core";
import { SeededRandom, SimulatedClock } from "@comeback/testkit";
import { addKey, changePassword, listKeys, removeKey } from "../../src/repository/keys.ts";
import { Repository } from "../../src/repository/repository.ts";
import { CHEAP_SCRYPT, flipBit, RepositoryBuilder, TEST_PASSWORD } from "../repository-builder.ts";

const cheap = { scryptCost: CHEAP_SCRYPT };

function open(builder: RepositoryBuilder, password: string): Promise<Repository> {
  const backend = builder.backend.sharing();
  const clock = new SimulatedClock();
  return Repository.open({ backend, password, clock, random: new SeededRandom(3) });
}

async function opens(builder: RepositoryBuilder, password: string): Promise<boolean> {
  try {
    await using repository = await open(builder, password);
    return repository.config.id === builder.repository.config.id;
  } catch (error) {
    assert.ok(isComebackError(error, "key.wrong-password"), String(error));
    return false;
  }
}

async function keyNames(builder: RepositoryBuilder): Promise<string[]> {
  const keys = await Array.fromAsync(builder.backend.sharing().list("key"));
  return keys.map(({ name }) => name);
}

function text(error: ComebackError): string {
  return JSON.stringify([error.message, error.why, error.next, error.context, String(error.cause)]);
}

test("an added key opens the repository beside the first, and is listed with its owner", async () => {
  await using builder = await RepositoryBuilder.create();
  const { repository } = builder;
  const owner = { username: "ann", hostname: "nas" };
  const id = await addKey(repository, { password: "second", ...owner, ...cheap });
  assert.ok(await opens(builder, TEST_PASSWORD));
  await using second = await open(builder, "second");
  assert.equal(second.keyId, id);
  const { keys, unusable } = await listKeys(second);
  assert.deepEqual(unusable, []);
  assert.equal(keys.length, 2);
  const created = "2026-01-02T03:04:05.678Z";
  const mine = keys.find(({ isCurrent }) => isCurrent);
  assert.deepEqual(
    { ...mine, created: Date.parse(mine?.created ?? "") },
    {
      id,
      isCurrent: true,
      ...owner,
      created: Date.parse(created),
    },
  );
});

test("a changed password opens, the old one does not, others stay", async () => {
  await using builder = await RepositoryBuilder.create();
  const { repository } = builder;
  await addKey(repository, { password: "other", ...cheap });
  const changed = await changePassword(repository, { password: "new", ...cheap });
  assert.equal(changed.removed, repository.keyId);
  const found = [TEST_PASSWORD, "other", "new"].map((password) => opens(builder, password));
  assert.deepEqual(await Promise.all(found), [false, true, true]);
  await using opened = await open(builder, "new");
  assert.equal(opened.keyId, changed.added);
});

test("a key is removed by the start of its id; the one in use and the last never", async () => {
  await using builder = await RepositoryBuilder.create();
  const { repository } = builder;
  await assert.rejects(removeKey(repository, repository.keyId.slice(0, 8)), {
    code: "key.in-use",
    why: "it is the only one; without it nothing can be read",
  });
  const id = await addKey(repository, { password: "second", ...cheap });
  await assert.rejects(removeKey(repository, repository.keyId), { code: "key.in-use" });
  await assert.rejects(removeKey(repository, ""), { code: "key.not-found" });
  await assert.rejects(removeKey(repository, "zz"), { code: "key.not-found" });
  await assert.rejects(removeKey(repository, `${id}00`), { code: "key.not-found" });
  assert.equal((await keyNames(builder)).length, 2);
  assert.equal(await removeKey(repository, id.slice(0, 12)), id);
  assert.deepEqual(await keyNames(builder), [repository.keyId]);
});

test("ids that begin alike have to be told apart", async () => {
  await using builder = await RepositoryBuilder.create();
  for (const name of ["ab".repeat(32), `${"ab".repeat(31)}cd`]) {
    builder.backend.overwrite({ type: "key", name }, Buffer.from("{}"));
  }
  await assert.rejects(removeKey(builder.repository, "abab"), { code: "key.ambiguous" });
});

test("no key goes while the one in use is damaged or gone", async () => {
  await using builder = await RepositoryBuilder.create();
  const { repository } = builder;
  const id = await addKey(repository, { password: "second", ...cheap });
  builder.damage("key", repository.keyId, flipBit(-9));
  await assert.rejects(removeKey(repository, id), { code: "key.none-left" });
  const { keys, unusable } = await listKeys(repository);
  assert.deepEqual(
    [keys.map((key) => key.id), unusable.map((key) => key.id)],
    [[id], [repository.keyId]],
  );
  await builder.backend.remove({ type: "key", name: repository.keyId });
  await assert.rejects(removeKey(repository, id), { code: "key.none-left" });
  assert.deepEqual(await keyNames(builder), [id]);
});

test("a new key that the store garbles is taken away, and the old one stays", async () => {
  for (const change of [addKey, changePassword]) {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const save = repository.backend.save.bind(repository.backend);
    repository.backend.save = async (file, data, options) => {
      await save(file, data, options);
      builder.damage(file.type, file.name, flipBit(-9));
    };
    const secret = "a secret that nobody may read";
    await assert.rejects(change(repository, { password: secret, ...cheap }), (error) => {
      assert.ok(isComebackError(error, "key.unproven"));
      assert.ok(!text(error).includes(secret));
      return true;
    });
    assert.deepEqual(await keyNames(builder), [repository.keyId]);
    assert.ok(await opens(builder, TEST_PASSWORD));
  }
});

test("an interruption behind the save leaves both keys", async () => {
  await using builder = await RepositoryBuilder.create();
  const { repository } = builder;
  const controller = new AbortController();
  const { signal } = controller;
  const save = repository.backend.save.bind(repository.backend);
  repository.backend.save = async (file, data, options) => {
    await save(file, data, options);
    controller.abort(new Error("enough"));
  };
  await assert.rejects(changePassword(repository, { password: "new", signal, ...cheap }), /enough/);
  assert.deepEqual(await Promise.all([TEST_PASSWORD, "new"].map((p) => opens(builder, p))), [
    true,
    true,
  ]);
});

test("more keys than any program tries are refused, and an empty password", async () => {
  await using builder = await RepositoryBuilder.create();
  const { repository } = builder;
  await assert.rejects(addKey(repository, { password: "", ...cheap }), { code: "option.invalid" });
  for (let i = 1; i < KEYS_TRIED_MAX; i++) {
    await addKey(repository, { password: `number ${i}`, ...cheap });
  }
  await assert.rejects(addKey(repository, { password: "one more", ...cheap }), {
    code: "key.too-many",
  });
  assert.equal((await keyNames(builder)).length, KEYS_TRIED_MAX);
});
