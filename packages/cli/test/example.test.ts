import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ScratchFolder } from "./command-line/run-comeback.ts";

const EXAMPLE = fileURLToPath(new URL("../examples/round-trip.ts", import.meta.url));
const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());

test("the library's example does what it says", () => {
  const folder = scratch.at("folder");
  mkdirSync(folder);
  writeFileSync(`${folder}/größe.txt`, "hello\n");
  const args = [EXAMPLE, folder, scratch.at("repository"), scratch.at("target")];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    "saved 1 files, 0 problems",
    "the snapshot has an id: true",
    `snapshot of ${folder}, made in ${new Date().getFullYear()}`,
    `read ${folder}/größe.txt: 6 bytes`,
    "restored, 0 problems",
    "checked: no errors, all data",
  ]);
  assert.equal(readFileSync(`${scratch.at("target")}${folder}/größe.txt`, "utf8"), "hello\n");
  // Again, into the repository that is there now.
  const again = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(again.status, 0, again.stderr);
  assert.equal(again.stdout.split("\n").filter((line) => line.startsWith("snapshot of")).length, 2);
});
