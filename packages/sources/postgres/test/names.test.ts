import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { programsFor } from "../src/programs.ts";
import { chooseDatabases, type DatabaseFacts, type ServerFacts } from "../src/server-facts.ts";
import { fileNameOf, folderNameOf } from "../src/snapshot-names.ts";

test("every database has a file name of its own, and most their own", () => {
  const names = ["shop", "a b", "a/b", "a%2Fb", ".", "..", "...", "ü", "a\nb"];
  const files = names.map(fileNameOf);
  assert.deepEqual(files.slice(0, 3), ["shop.dump", "a b.dump", "a%2Fb.dump"]);
  assert.equal(new Set(files).size, names.length);
  for (const file of files) assert.match(file, /^[^/\0\n]+$/);
});

test("a cluster's folder stays when its version changes", () => {
  assert.equal(folderNameOf("15/main"), "main");
  assert.equal(folderNameOf("orders"), "orders");
  for (const name of ["", "..", "15/", "-x", "a\nb"]) assert.equal(folderNameOf(name), "main");
});

test("the server's own version of the programs is taken, or the next newer one", () => {
  const found = [18, 17, 15].map((major) => ({ major, version: `${major}.1`, folder: "" }));
  assert.equal(programsFor(found, 15).major, 15);
  assert.equal(programsFor(found, 16).major, 17);
  assert.equal(programsFor(found, 9).major, 15);
  assert.throws(
    () => programsFor(found, 19),
    (error) => isComebackError(error, "source.unavailable"),
  );
  assert.throws(
    () => programsFor([], 15),
    (error) => isComebackError(error, "command.missing"),
  );
});

function database(name: string, more: Partial<DatabaseFacts> = {}): DatabaseFacts {
  const open = { allowsConnections: true, isTemplate: false, isInvalid: false, mayConnect: true };
  return { name, ...open, sizeBytes: 1, ...more };
}

test("which databases are dumped, which are missing, and which left out", () => {
  const facts: ServerFacts = {
    major: 15,
    version: "15.1",
    clusterName: "",
    readsRoles: true,
    readsAll: true,
    databases: [
      database("shop"),
      database("shut", { allowsConnections: false }),
      database("half", { isInvalid: true }),
      database("own", { isTemplate: true }),
      database("template0", { isTemplate: true, allowsConnections: false }),
      database("template1", { isTemplate: true }),
    ],
  };
  const names = (list: readonly { readonly name: string }[]): string[] =>
    list.map(({ name }) => name);
  const all = chooseDatabases(facts, {});
  assert.deepEqual(names(all.chosen), ["shop", "own"]);
  assert.deepEqual(names(all.skipped), ["shut", "half", "template0", "template1"]);
  assert.deepEqual(names(all.skipped.filter(({ isNotable }) => isNotable)), ["shut", "half"]);
  const some = chooseDatabases(facts, {
    databases: ["shop", "gone", "half", "shut", "template1", "shop", "own"],
    exclude: ["own"],
  });
  assert.deepEqual(names(some.chosen), ["shop", "template1"]);
  assert.deepEqual(names(some.missing), ["gone", "half", "shut"]);
});
