import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makeNotifier } from "@comeback/notifiers";
import { systemClock, systemCommandRunner } from "@comeback/platform";
import { HttpStandIn, sampleNotification } from "@comeback/testkit";

const PAGE = new URL("../../docs/reference/notifications.md", import.meta.url);
const [, EXAMPLE = ""] = /```python\n([^]*?)```/.exec(readFileSync(PAGE, "utf8")) ?? [];
const ASK = `
import json, sys
given = json.load(sys.stdin)
print(is_signed(given["header"], given["body"].encode(), given["key"].encode()))
`;

function isSigned(given: {
  readonly header: string;
  readonly body: string;
  readonly key: string;
}): boolean {
  const args = ["-c", EXAMPLE + ASK];
  const input = JSON.stringify(given);
  return execFileSync("/usr/bin/python3", args, { input, encoding: "utf8" }).trim() === "True";
}

test("the example of the documentation knows what we signed from what we did not", async () => {
  await using service = await HttpStandIn.start(() => ({ status: 200 }));
  const key = "key of the receiver";
  const notifier = makeNotifier(
    { kind: "webhook", settings: { url: service.url, key: {}, headers: {} } },
    {
      fetch,
      runner: systemCommandRunner,
      clock: systemClock,
      resolveSecret: () => Promise.resolve(key),
    },
  );
  const lines = ["größer als “zuvor” 😀"];
  await notifier.send(sampleNotification({ lines }), new AbortController().signal);
  const { headers, body } = service.requests[0]!;
  const header = String(headers["x-comeback-signature"]);
  assert.ok(isSigned({ header, body, key }), header);
  assert.ok(!isSigned({ header, body, key: "another" }));
  assert.ok(!isSigned({ header, body: body.replace("shop", "shep"), key }));
  const old = header.replace(/^t=\d+/, (time) => `t=${Number(time.slice(2)) - 301}`);
  assert.ok(!isSigned({ header: old, body, key }));
});
