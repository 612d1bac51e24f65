import assert from "node:assert/strict";
import { test } from "node:test";
import { keyMessages, renderKeys } from "../../src/keys/render-keys.ts";

const KEYS = [
  {
    id: "ab".repeat(32),
    isCurrent: true,
    username: "ann",
    hostname: "nas\u001b[31m",
    created: "2026-11-21T04:05:06.789Z",
  },
  { id: "cd".repeat(32), isCurrent: false, username: "", hostname: "", created: "long ago" },
];

test("the key in use has a star, and nothing in the table drives the terminal", () => {
  const lines = renderKeys(KEYS);
  assert.match(lines[0] ?? "", /^ ID +User +Host +Created$/);
  assert.match(lines[2] ?? "", /^\*abababab +ann +nas\\x1b\[31m +2026-11-21 /);
  assert.match(lines[3] ?? "", /^ cdcdcdcd +long ago$/);
  assert.equal(lines.at(-1), "2 keys");
  assert.equal(renderKeys(KEYS.slice(1)).at(-1), "1 key");
  for (const line of lines) assert.ok(line.length <= 80, line);
});

test("the messages have restic's keys", () => {
  const [first] = keyMessages(KEYS);
  assert.deepEqual(Object.keys(first ?? {}), ["current", "id", "userName", "hostName", "created"]);
  assert.equal(first?.["current"], true);
});
