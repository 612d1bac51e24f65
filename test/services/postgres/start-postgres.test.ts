import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startPostgres } from "./start-postgres.ts";

test("a throw-away PostgreSQL: password by TCP, none on the socket, gone at the end", async () => {
  let dataFolder = "";
  {
    await using server = await startPostgres({ settings: { work_mem: "7MB" } });
    dataFolder = server.dataFolder;
    const ask = (...args: string[]) =>
      execFileSync(join(server.programFolder, "psql"), ["-XAtq", ...args], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      }).trim();
    const bySocket = ["-h", server.socketFolder, "-p", String(server.port), "-U", server.user];
    assert.equal(ask(...bySocket, "-c", "show work_mem"), "7MB");
    assert.equal(ask(server.url, "-c", "select current_user"), "postgres");
    assert.throws(() => ask(server.url.replace(server.password, "wrong"), "-c", "select 1"));
    ask(server.url, "-c", "create table kept as select 42 as answer");
    await server.kill();
    assert.throws(() => ask(server.url, "-c", "select 1"));
    await server.restart();
    assert.equal(ask(server.url, "-c", "select answer from kept"), "42");
  }
  assert.equal(existsSync(dataFolder), false);
});
