import assert from "node:assert/strict";
import { mkdirSync, utimesSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const caches = scratch.at("caches");
await makeQuickRepository(repository);

function cache(...args: string[]): string {
  const { exitCode, stdout, stderr } = runComeback(["--cache-dir", caches, "cache", ...args]);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

test("caches are listed with their age and size, and old ones removed", () => {
  assert.equal(cache(), `no caches in ${caches}\n`);
  assert.equal(runComeback(["-r", repository, "--cache-dir", caches, "snapshots"]).exitCode, 0);
  // What is not marked as a cache is none of ours, whatever its name.
  mkdirSync(`${caches}/${"0".repeat(64)}`);
  const [item, ...rest] = JSON.parse(cache("--json")) as {
    repository_id: string;
    old: boolean;
    size: number;
  }[];
  assert.deepEqual(rest, []);
  assert.equal(item?.old, false);
  assert.ok((item?.size ?? 0) > 0);
  assert.equal(cache("--cleanup"), "no old caches\n");
  const unused = Date.now() / 1000 - 40 * 86_400;
  utimesSync(`${caches}/${item?.repository_id}`, unused, unused);
  const [, , line = ""] = cache("--no-size").split("\n");
  assert.match(line, /^[0-9a-f]{10} +40 days ago +yes$/);
  assert.equal(cache("--max-age", "50", "--cleanup"), "no old caches\n");
  assert.equal(cache("--cleanup"), "removed 1 old cache\n");
  assert.equal(cache(), `no caches in ${caches}\n`);
});
