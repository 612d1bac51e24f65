import assert from "node:assert/strict";
import { test } from "node:test";
import { LIST_LAG_DEFAULT_MS } from "@comeback/core";
import { nodeFileSystem } from "../src/file-system.ts";
import type { FileSystem } from "../src/file-system.ts";
import { localFixture } from "./scratch.ts";

/** This disk, under the name of another kind of file system. */
function calledBy(type: number): FileSystem {
  const statfs = async (path: string): Promise<object> => ({
    ...(await nodeFileSystem.statfs(path)),
    type,
  });
  return { ...nodeFileSystem, statfs: statfs as FileSystem["statfs"] };
}

const EXT4 = 0xef53;
const NFS = 0x6969;

test("lists of a disk of this machine do not lag", async () => {
  await using fixture = await localFixture(calledBy(EXT4));
  assert.equal(fixture.backend.isRemote, false);
  assert.equal(fixture.backend.listLagMs, 0);
});

test("lists of a network file system may lag, and so may those of an unknown one", async () => {
  const unknown = { ...nodeFileSystem, statfs: () => Promise.reject(new Error("staged")) };
  for (const fileSystem of [calledBy(NFS), unknown]) {
    await using fixture = await localFixture(fileSystem);
    assert.equal(fixture.backend.isRemote, true);
    assert.equal(fixture.backend.listLagMs, LIST_LAG_DEFAULT_MS);
  }
});
