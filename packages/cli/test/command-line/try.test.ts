import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { scanTree } from "../../src/try/scan-tree.ts";
import { runComeback, ScratchFolder, startComeback } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const { signal } = new AbortController();
const own = scratch.at("own folder");
mkdirSync(`${own}/photos`, { recursive: true });
writeFileSync(`${own}/photos/a.jpg`, Buffer.alloc(2_000_000, "photo"));
writeFileSync(`${own}/größe.txt`, "hello\n");
symlinkSync("photos", `${own}/link`);
mkdirSync(scratch.at("work"));

test("try with a folder of the user: all is proven, and that folder is as it was", async () => {
  // The hard case: what try makes lies in the very folder that it is tried with.
  const work = `${own}/work`;
  mkdirSync(work);
  const before = await scanTree(own, { signal, without: [work] });
  const { exitCode, stdout, stderr } = runComeback(["try", own, "--keep", "--folder", work]);
  assert.equal(exitCode, 0, stdout + stderr);
  assert.match(stdout, /^Everything came back\./m);
  assert.match(stdout, /^compared .* all equal +ok/m);
  assert.doesNotMatch(stdout, /FAILED|partly/);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80 || line.includes("/"), line);
  assert.deepEqual(await scanTree(own, { signal, without: [work] }), before);

  // What was kept can be looked at.
  const [name = ""] = readdirSync(work);
  const place = `${work}/${name}`;
  assert.ok(stdout.includes(`comeback -r ${place}/repository -p ${place}/password snapshots`));
  assert.match(readFileSync(`${place}/password`, "utf8"), /^\S{32}\n$/);
  const listed = runComeback(["-r", `${place}/repository`, "-p", `${place}/password`, "snapshots"]);
  assert.match(listed.stdout, /\n2 snapshots\n$/);
});

test("Ctrl-C in the middle leaves nothing behind", async () => {
  const work = scratch.at("work");
  const { child, ended } = startComeback(["try", "--folder", work]);
  const isUnderWay = (): boolean =>
    readdirSync(work).some((name) => readdirSync(`${work}/${name}`).includes("repository"));
  while (!isUnderWay()) await delay(20);
  child.kill("SIGINT");
  const { exitCode, stderr } = await ended;
  assert.equal(exitCode, 130, stderr);
  assert.deepEqual(readdirSync(work), []);
});

test("try with what is no folder", () => {
  for (const path of [`${own}/größe.txt`, scratch.at("missing")]) {
    const { exitCode, stderr } = runComeback(["try", path]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /\[option\.invalid\]/);
  }
});
