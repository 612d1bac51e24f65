import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { localBackendFactory } from "@comeback/backend-local";
import type { Backend } from "@comeback/core";
import { MemoryBackend } from "@comeback/testkit";
import { configCopyFolder, configKeeper, findConfigCopy } from "../../src/migrate/config-copies.ts";

const scratch = mkdtempSync(join(tmpdir(), "comeback-config-copies-"));
after(() => rmSync(scratch, { recursive: true }));
const env = { XDG_STATE_HOME: join(scratch, "not", "made", "yet") };
const folder = configCopyFolder(env);
const KEY = "12".repeat(32);

/** A repository's folder with one key. */
async function storeAt(name: string): Promise<Backend> {
  const backend = await localBackendFactory.create(join(scratch, name));
  await backend.save({ type: "key", name: KEY }, Buffer.from("{}"));
  return backend;
}

test("a copy is found by the repository's place, and says which keys belong to it", async () => {
  const place = join(scratch, "one");
  assert.equal(await findConfigCopy(env, place), undefined, "no folder, no copy");
  const one = configKeeper(folder, await storeAt("one"), "a".repeat(64));
  const other = configKeeper(folder, await storeAt("other"), "b".repeat(64));
  const where = await one.keep(Buffer.from("config of one"));
  await other.keep(Buffer.from("config of the other"));
  for (const location of [place, `local:${place}`, `${scratch}/x/../one/`]) {
    const copy = await findConfigCopy(env, location);
    assert.equal(copy?.path, where);
    assert.deepEqual(copy?.about, { location: place, keys: [KEY] });
    assert.equal(readFileSync(copy.path, "utf8"), "config of one");
  }
  // It opens nothing by itself, but is nobody else's business.
  assert.equal(statSync(where).mode & 0o777, 0o600);
  assert.equal(await findConfigCopy(env, scratch), undefined);
  await one.keep(Buffer.from("a later config"));
  assert.equal(readFileSync(where, "utf8"), "a later config");
  await one.drop();
  await one.drop();
  assert.equal(await findConfigCopy(env, place), undefined);
  assert.deepEqual(readdirSync(folder), ["b".repeat(64)]);
});

test("half a copy, or something else in its place, is none", async () => {
  const place = join(folder, "c".repeat(64));
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "about.json"), JSON.stringify({ location: "/mnt/c", keys: [] }));
  assert.equal(await findConfigCopy(env, "/mnt/c"), undefined);
  writeFileSync(join(place, "config"), "x");
  writeFileSync(join(place, "about.json"), "{");
  assert.equal(await findConfigCopy(env, "/mnt/c"), undefined);
});

test("where no copy can be made, that is an error, and says where", async () => {
  const file = join(scratch, "a file");
  writeFileSync(file, "");
  const keeper = configKeeper(join(file, "below"), new MemoryBackend(), "d".repeat(64));
  await assert.rejects(keeper.keep(Buffer.from("x")), (error: { code?: string; why?: string }) => {
    assert.equal(error.code, "migration.failed");
    return error.why?.includes(join(file, "below")) === true;
  });
});
