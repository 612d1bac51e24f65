import assert from "node:assert/strict";
import { test } from "node:test";
import { goModeFromStat, permissionsFromGoMode, statModeFromGo } from "../../src/tree/index.ts";

const KINDS = [0o140000, 0o120000, 0o100000, 0o060000, 0o040000, 0o020000, 0o010000];

test("modes as Go has them", () => {
  assert.equal(goModeFromStat(0o100644), 0o644);
  assert.equal(goModeFromStat(0o040755), 2 ** 31 + 0o755);
  assert.equal(goModeFromStat(0o041777), 2 ** 31 + 2 ** 20 + 0o777);
  assert.equal(goModeFromStat(0o106755), 2 ** 23 + 2 ** 22 + 0o755);
  assert.equal(goModeFromStat(0o120777), 2 ** 27 + 0o777);
  assert.equal(goModeFromStat(0o020600), 2 ** 26 + 2 ** 21 + 0o600);
  assert.equal(goModeFromStat(0o060600), 2 ** 26 + 0o600);
});

test("every mode of the kernel survives the way there and back", () => {
  for (const kind of KINDS) {
    for (let permissions = 0; permissions < 0o10000; permissions += 7) {
      const goMode = goModeFromStat(kind | permissions);
      assert.equal(statModeFromGo(goMode), kind | permissions);
      assert.equal(permissionsFromGoMode(goMode), permissions);
    }
  }
});
