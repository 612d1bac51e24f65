import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ComebackError, isComebackError } from "@comeback/core";
import type { DaemonEvent } from "@comeback/server";
import { lockDaemon } from "../../src/daemon/daemon-lock.ts";
import { daemonMessage, logLineOf } from "../../src/daemon/daemon-log.ts";

const AT = new Date(2026, 0, 2, 3, 0).getTime();
const request = {
  plan: "shop",
  job: { kind: "backup" },
  type: "full",
  trigger: "catch-up",
  scheduledForMs: AT,
} as const;
const mistake = new ComebackError("configuration.invalid", "it has a mistake", {
  why: "line 3",
  next: "mend it",
});

test("one daemon a state folder", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "comeback-daemon-")), "state");
  try {
    {
      await using _lock = await lockDaemon(folder);
      await assert.rejects(
        lockDaemon(folder),
        (error: unknown) =>
          isComebackError(error, "run.busy") && error.why?.includes(`${process.pid}`) === true,
      );
    }
    await (await lockDaemon(folder))[Symbol.asyncDispose]();
  } finally {
    rmSync(join(folder, ".."), { recursive: true });
  }
});

test("what the log says", () => {
  const cases: readonly (readonly [DaemonEvent, string])[] = [
    [
      { kind: "ready", plans: 2, metricsUrl: "http://h:1" },
      "info: ready: 2 plans; metrics at http://h:1/metrics",
    ],
    [
      { kind: "started", request, answers: [], waitedMs: 0 },
      "info: shop: full starts, due at 2026-01-02 03:00:00, which was missed",
    ],
    [
      {
        kind: "ended",
        request,
        outcome: "failed",
        message: "no room",
        runId: "r1",
        hasReported: true,
      },
      "error: shop: full ended: failed: no room (run r1)",
    ],
    [
      {
        kind: "missed",
        plan: "shop",
        trigger: "full daily 03:00 UTC",
        momentsMs: [AT],
        omitted: 4,
        reason: "down",
      },
      "warning: shop: full daily 03:00 UTC: missed (down): 5, the last of 2026-01-02 03:00:00",
    ],
    [
      { kind: "reload-failed", error: mistake },
      "error: the new configuration has a mistake, the old one goes on",
    ],
  ];
  for (const [event, expected] of cases) {
    const { level, text } = logLineOf(event);
    assert.equal(`${level}: ${text}`, expected);
    const message = JSON.parse(daemonMessage(event)) as Record<string, unknown>;
    assert.deepEqual([message["message_type"], message["text"]], ["daemon", text]);
    if (event.kind !== "reload-failed") continue;
    const error = message["error"] as Record<string, unknown>;
    assert.deepEqual([error["code"], error["next"]], ["configuration.invalid", "mend it"]);
  }
});
