import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CACHE_UNUSED_MAX_MS } from "@comeback/core";
import { SimulatedClock } from "@comeback/testkit";
import {
  defaultCacheDirectory,
  prepareCacheDirectory,
  removeUnusedCaches,
} from "../../src/cache/cache-directory.ts";
import { cacheFolder } from "./cache-folder.ts";

const [A, B, C] = ["a".repeat(64), "b".repeat(64), "c".repeat(64)];

test("the place of the cache", () => {
  const home = join(homedir(), ".cache", "comeback");
  assert.equal(defaultCacheDirectory({}), home);
  assert.equal(defaultCacheDirectory({ XDG_CACHE_HOME: "/x" }), "/x/comeback");
  assert.equal(defaultCacheDirectory({ XDG_CACHE_HOME: "relative" }), home);
  assert.equal(defaultCacheDirectory({ COMEBACK_CACHE_DIR: "/y", XDG_CACHE_HOME: "/x" }), "/y");
  assert.equal(defaultCacheDirectory({ COMEBACK_CACHE_DIR: "", XDG_CACHE_HOME: "" }), home);
});

test("the folder says that it is a cache, and is for its owner only", async () => {
  using folder = cacheFolder();
  const directory = join(folder.path, "a", "b");
  const own = await prepareCacheDirectory(directory, A, ["index"], new SimulatedClock());
  assert.equal(own, join(directory, A));
  assert.equal(statSync(own).mode & 0o777, 0o700);
  const tag = readFileSync(join(directory, "CACHEDIR.TAG"), "utf8");
  assert.ok(tag.startsWith("Signature: 8a477f597d28d172789f06886806bc55\n"));
  await prepareCacheDirectory(directory, A, ["index"], new SimulatedClock());
  await assert.rejects(prepareCacheDirectory(directory, "../x", [], new SimulatedClock()));
});

test("caches of repositories that nobody opens any more are removed", async () => {
  using folder = cacheFolder();
  const directory = folder.path;
  const clock = new SimulatedClock();
  await prepareCacheDirectory(directory, A, ["index"], clock);
  await prepareCacheDirectory(directory, B, ["index"], clock);
  writeFileSync(join(directory, A, "index", "x"), "x");
  mkdirSync(join(directory, C));
  mkdirSync(join(directory, "other"));
  await clock.advance(CACHE_UNUSED_MAX_MS / 2);
  await prepareCacheDirectory(directory, B, ["index"], clock);
  await clock.advance(CACHE_UNUSED_MAX_MS / 2 + 1);
  // C looks like a cache, but it is not marked as ours; its real time is far in the past here.
  await removeUnusedCaches(directory, A, clock);
  assert.ok(existsSync(join(directory, A)), "the one in use stays");
  await removeUnusedCaches(directory, B, clock);
  assert.ok(!existsSync(join(directory, A)));
  for (const name of [B, C, "other"]) assert.ok(existsSync(join(directory, name)), name);
  await removeUnusedCaches(join(directory, "missing"), B, clock);
});
