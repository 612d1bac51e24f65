import assert from "node:assert/strict";
import { test } from "node:test";
import { readSnapshotTags, snapshotTags, sourceTags, stateFolder } from "@comeback/operations";

test("the tags of a run's snapshot come back as they were written, among others", () => {
  const tags = { plan: "shop.v2", source: "db", runId: "20261128-020000-4f2a" } as const;
  const written = snapshotTags({ ...tags, backupType: "differential" });
  assert.deepEqual(written, [
    "plan:shop.v2",
    "source:db",
    "type:differential",
    "run:20261128-020000-4f2a",
  ]);
  assert.deepEqual(readSnapshotTags(["hold", ...written.toReversed()]), {
    ...tags,
    backupType: "differential",
  });
  const known = snapshotTags({ ...tags, backupType: "full", outcome: "warning" });
  assert.equal(known.at(-1), "outcome:warning");
  assert.equal(readSnapshotTags(known)?.outcome, "warning");
  assert.deepEqual(readSnapshotTags([...written, "outcome:failed"]), {
    ...tags,
    backupType: "differential",
  });
  assert.deepEqual(sourceTags("shop.v2", "db"), written.slice(0, 2));
});

test("tags of others are no run's", () => {
  const written = snapshotTags({ plan: "a", source: "b", backupType: "full", runId: "c" });
  for (const missing of written) {
    assert.equal(readSnapshotTags(written.filter((tag) => tag !== missing)), undefined, missing);
  }
  assert.equal(readSnapshotTags([]), undefined);
  assert.equal(readSnapshotTags([...written.slice(1), "plan:"]), undefined);
  assert.equal(readSnapshotTags(written.with(2, "type:monthly")), undefined);
});

test("the state folder: root's, the XDG one, or below the home", () => {
  assert.equal(stateFolder({ XDG_STATE_HOME: "/x" }, 0), "/var/lib/comeback");
  assert.equal(stateFolder({ XDG_STATE_HOME: "/x" }, 1000), "/x/comeback");
  const below = "/home/me/.local/state/comeback";
  assert.equal(stateFolder({ XDG_STATE_HOME: "x", HOME: "/home/me" }, 1000), below);
  assert.equal(stateFolder({ HOME: "/home/me" }, 1000), below);
});
