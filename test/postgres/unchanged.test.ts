import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { scratchFolder } from "../drivers/scratch.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";
import { accessTo, backUp, pinCluster, sql } from "./clusters.ts";

const repository = join(scratchFolder("postgres-unchanged"), "repository");
/** 10 MB of dump each. */
const SCALE = 2;

test("a database that has not changed adds next to nothing, although each dump has its time in it", async () => {
  const server = await startPostgres();
  await makeQuickRepository(repository);
  sql(server, "postgres", "CREATE DATABASE shop");
  const args = ["-i", "-q", "-s", String(SCALE), server.urlOf("shop")];
  execFileSync(join(server.programFolder, "pgbench"), args, { stdio: "pipe" });
  const save = async () => {
    await using pinned = await pinCluster(accessTo(server));
    return (await backUp(repository, pinned)).summary;
  };
  const first = await save();
  assert.ok(first.total_bytes_processed > SCALE * 9_000_000);
  const { data_added: added, data_blobs: blobs } = await save();
  assert.ok(blobs > 0, "a dump has its time in it");
  assert.ok(added < 16_384, `${added} bytes were added, in ${blobs} chunks`);
});
