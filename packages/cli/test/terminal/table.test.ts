import assert from "node:assert/strict";
import { test } from "node:test";
import { renderTable } from "../../src/terminal/table.ts";

test("columns are as wide as their widest cell, cells may have several lines", () => {
  const lines = renderTable(
    [{ title: "ID" }, { title: "Paths" }, { title: "Size", align: "right" }],
    [
      ["1b565b4b", ["/home", "/etc"], "5.7 MiB"],
      ["60188c44", "/大", "17 B"],
    ],
    "2 snapshots",
  );
  assert.deepEqual(lines, [
    "ID        Paths     Size",
    "------------------------",
    "1b565b4b  /home  5.7 MiB",
    "          /etc",
    "60188c44  /大       17 B",
    "------------------------",
    "2 snapshots",
  ]);
});
