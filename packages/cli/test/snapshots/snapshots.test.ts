import assert from "node:assert/strict";
import { test } from "node:test";
import { groupSnapshots, type Snapshot } from "@comeback/engine";
import { keepLatest } from "../../src/snapshots/keep-latest.ts";
import {
  renderGroupTitle,
  renderSnapshots,
  snapshotMessage,
  snapshotTitle,
} from "../../src/snapshots/render-snapshots.ts";

function snapshot(number: number, more: Partial<Snapshot> = {}): Snapshot {
  return {
    time: new Date(2026, 0, number, 10, 0, 0).toISOString(),
    tree: "0".repeat(64),
    paths: ["/home"],
    hostname: "nas",
    id: String(number).repeat(64),
    ...more,
  };
}

test("the table shows what tells snapshots apart, and no escape sequence of anybody", () => {
  const lines = renderSnapshots(
    [
      snapshot(1, { tags: ["a", "b"] }),
      snapshot(2, { paths: ["/home", "/etc\u001b[2J"], hostname: "laptop" }),
    ],
    false,
  );
  assert.deepEqual(lines, [
    "ID        Time                 Host    Tags  Paths",
    "-".repeat(56),
    "11111111  2026-01-01 10:00:00  nas     a,b   /home",
    "22222222  2026-01-02 10:00:00  laptop        /home",
    "                                             /etc\\x1b[2J",
    "-".repeat(56),
    "2 snapshots",
  ]);
  assert.deepEqual(renderSnapshots([], false), ["no snapshots"]);
});

test("groups are by what was asked for; the latest are kept per host and paths", () => {
  const all = [
    snapshot(1),
    snapshot(2, { hostname: "laptop", tags: ["b", "a"] }),
    snapshot(3),
    snapshot(4, { paths: ["/etc"] }),
  ];
  const groups = groupSnapshots(all, { host: true, paths: false, tags: true });
  assert.deepEqual(
    groups.map(({ key, snapshots }) => [key, snapshots.length]),
    [
      [{ hostname: "nas", paths: null, tags: null }, 3],
      [{ hostname: "laptop", paths: null, tags: ["a", "b"] }, 1],
    ],
  );
  assert.equal(renderGroupTitle(groups[1]!.key), "snapshots for (host [laptop], tags [a, b]):");
  assert.deepEqual(
    keepLatest(all, 1).map(({ id }) => id[0]),
    ["2", "3", "4"],
  );
});

test("a title names what, when and by whom", () => {
  const own = snapshot(1, { username: "me" });
  assert.equal(snapshotTitle(own), "snapshot 11111111 from 2026-01-01 10:00:00 by me@nas of /home");
  assert.equal(snapshotMessage(own)["short_id"], "11111111");
});
