import assert from "node:assert/strict";
import { test } from "node:test";
import { RateMeter } from "../../src/terminal/rate-meter.ts";

test("the rate follows the last seconds, not the whole run", () => {
  const meter = new RateMeter();
  for (let second = 0; second <= 60; second++) meter.add(second * 1000, second * 100);
  assert.equal(meter.perSecond(), 100);
  for (let second = 1; second <= 30; second++) {
    meter.add((60 + second) * 1000, 6000 + second * 1000);
  }
  assert.equal(meter.perSecond(), 1000);
  assert.equal(meter.remainingMs(5000), 5000);
});

test("nothing is foretold from nothing", () => {
  const meter = new RateMeter();
  assert.equal(meter.perSecond(), 0);
  meter.add(0, 10);
  assert.equal(meter.remainingMs(5), undefined);
  assert.equal(meter.remainingMs(0), 0);
});
