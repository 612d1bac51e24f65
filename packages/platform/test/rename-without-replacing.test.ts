import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { byteStringFromText } from "@comeback/core";
import { isSystemCallError, renameWithoutReplacing } from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

test("a free name is taken, one in use is left alone", (t) => {
  const { path } = scratchFolder(t);
  const rename = (from: string, to: string): void => {
    renameWithoutReplacing(
      byteStringFromText(`${path}/${from}`),
      byteStringFromText(`${path}/${to}`),
    );
  };
  writeFileSync(`${path}/ä`, "new");
  rename("ä", "to");
  assert.deepEqual(readdirSync(path), ["to"]);
  writeFileSync(`${path}/third`, "third");
  assert.throws(
    () => rename("third", "to"),
    (error) => isSystemCallError(error, "EEXIST"),
  );
  assert.equal(readFileSync(`${path}/to`, "utf8"), "new");
  assert.equal(readFileSync(`${path}/third`, "utf8"), "third");
  assert.throws(
    () => rename("ä", "to2"),
    (error) => isSystemCallError(error, "ENOENT"),
  );
});
