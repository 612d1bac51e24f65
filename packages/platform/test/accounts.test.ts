import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { groupName, userName } from "../src/index.ts";

test("names as the system's own tools give them", () => {
  const lines = (database: string) =>
    execFileSync("getent", [database], { encoding: "utf8" }).trim().split("\n");
  const firstNames = (database: string) => {
    const names = new Map<number, string>();
    for (const line of lines(database)) {
      const [name, , id] = line.split(":");
      if (!names.has(Number(id))) names.set(Number(id), name!);
    }
    return names;
  };
  const users = firstNames("passwd");
  assert.equal(users.get(0), "root");
  for (const [id, name] of users) assert.equal(userName(id), name);
  for (const [id, name] of firstNames("group")) assert.equal(groupName(id), name);
});

test("an id that nobody has gives no name, also the second time", () => {
  for (const id of [3_999_999_999, 3_999_999_999, 4_294_967_295]) {
    assert.equal(userName(id), "");
    assert.equal(groupName(id), "");
  }
});
