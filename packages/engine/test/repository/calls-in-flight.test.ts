import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBackend } from "@comeback/testkit";
import { loadsInFlight, uploadsInFlight } from "../../src/repository/calls-in-flight.ts";

const MiB = 1024 * 1024;

class Store extends MemoryBackend {
  override readonly connections: number;
  override readonly isRemote: boolean;

  constructor(connections: number, isRemote: boolean) {
    super();
    this.connections = connections;
    this.isRemote = isRemote;
  }
}

test("a disk gets two packs at a time, storage far away one for each connection", () => {
  for (const connections of [1, 4, 64]) {
    assert.equal(uploadsInFlight(new Store(connections, false), 16 * MiB), 2);
  }
  assert.equal(uploadsInFlight(new Store(1, true), 16 * MiB), 2);
  assert.equal(uploadsInFlight(new Store(5, true), 16 * MiB), 5);
});

test("packs under upload stay within 80 MiB, but for two very large ones", () => {
  assert.equal(uploadsInFlight(new Store(64, true), 16 * MiB), 5);
  assert.equal(uploadsInFlight(new Store(64, true), 4 * MiB), 5);
  assert.equal(uploadsInFlight(new Store(64, true), 32 * MiB), 2);
  assert.equal(uploadsInFlight(new Store(64, true), 128 * MiB), 2);
});

test("reads keep every connection busy beside the workers", () => {
  assert.equal(loadsInFlight(new Store(4, false), 2), 4);
  assert.equal(loadsInFlight(new Store(1, false), 2), 3);
  assert.equal(loadsInFlight(new Store(10, true), 2), 12);
});
