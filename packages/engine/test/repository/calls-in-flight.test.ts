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
    assert.equal(uploadsInFlight(new Store(connections, false), 16 * MiB, "in-files"), 2);
  }
  assert.equal(uploadsInFlight(new Store(1, true), 16 * MiB, "in-files"), 2);
  assert.equal(uploadsInFlight(new Store(16, true), 16 * MiB, "in-files"), 16);
});

test("packs under upload stay within 512 MiB of files, or 80 of memory, but for two", () => {
  const uploads = (packMiB: number, wait: "in-files" | "in-memory"): number =>
    uploadsInFlight(new Store(64, true), packMiB * MiB, wait);
  assert.deepEqual(
    [4, 16, 32, 128].map((packMiB) => uploads(packMiB, "in-files")),
    [32, 32, 16, 4],
  );
  assert.deepEqual(
    [4, 16, 32, 128].map((packMiB) => uploads(packMiB, "in-memory")),
    [5, 5, 2, 2],
  );
});

test("reads keep every connection busy beside the workers", () => {
  assert.equal(loadsInFlight(new Store(4, false), 2), 4);
  assert.equal(loadsInFlight(new Store(1, false), 2), 3);
  assert.equal(loadsInFlight(new Store(10, true), 2), 12);
});
