import assert from "node:assert/strict";
import { test } from "node:test";
import type { Notification } from "@comeback/core";
import { NotificationDispatcher } from "@comeback/operations";
import { configuration } from "@comeback/operations";
import { MemoryCatalog, sampleNotification, SimulatedClock } from "@comeback/testkit";
import { tellOfDaemon } from "../../src/notify/tell-of-daemon.ts";

const sources = { content: { files: "/srv" } };
const { plans } = configuration.parse({
  destinations: {},
  plans: {
    shop: { sources, to: "nas", notify: ["ops", "mail"] },
    wiki: { sources, to: "nas", notify: ["ops", "phone"] },
  },
});

async function told(given: Partial<Notification>): Promise<string[]> {
  const names: string[] = [];
  const dispatcher = new NotificationDispatcher({
    channels: ["ops", "mail", "phone", "nobody"].map((name) => ({
      name,
      severity: "info",
      repeatAfter: 0,
      notifier: { kind: "webhook", send: () => Promise.resolve(void names.push(name)) },
    })),
    catalog: new MemoryCatalog(),
    clock: new SimulatedClock(),
    host: "web1",
    timezone: "UTC",
    exclusively: (work) => work(),
  });
  const notification = sampleNotification({ event: "schedule.missed", ...given });
  await tellOfDaemon({ plans }, dispatcher, { notification, signal: new AbortController().signal });
  return names.toSorted();
}

test("a message about a plan goes to its channels, any other to those of all plans, once", async () => {
  assert.deepEqual(await told({ plan: "wiki" }), ["ops", "phone"]);
  const { plan: _none, ...about } = sampleNotification({ event: "undo.left-over" });
  assert.deepEqual(await told({ ...about, plan: "gone" }), ["mail", "ops", "phone"]);
});
