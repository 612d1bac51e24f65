import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { protectPostgres } from "@comeback/source-postgres";
import { protectedSourceConformance } from "@comeback/testkit";
import { startPostgres } from "../services/postgres/start-postgres.ts";
import { accessTo, checksums, sql } from "./clusters.ts";

/** A backend notices a moment later that its client has gone. */
const LOOKS_MAX = 200;
const LOOK_AGAIN_MS = 25;

const server = await startPostgres();
let fixtures = 0;

/** Sessions of ours that the server knows. */
async function sessions(): Promise<number> {
  let count = 0;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const text = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'comeback'";
    count = Number(sql(server, "postgres", text));
    if (count === 0) return 0;
    await sleep(LOOK_AGAIN_MS);
  }
  return count;
}

function digest(path: string, bytes: Buffer): string {
  const text = path.endsWith(".dump")
    ? execFileSync(join(server.programFolder, "pg_restore"), ["-f", "-"], {
        input: bytes,
        encoding: "utf8",
      })
    : bytes.toString("utf8");
  return text.replaceAll(/^(?:\\(?:un)?restrict|--) .*$/gm, "");
}

protectedSourceConformance("PostgreSQL", async () => {
  const databases = [`shop ${++fixtures}`, `mail'${fixtures}/x`];
  const [shop = "", mail = ""] = databases;
  for (const name of databases) {
    sql(server, "postgres", `CREATE DATABASE "${name}"`);
    sql(server, name, "CREATE TABLE things (name text); INSERT INTO things VALUES ('one')");
  }
  const drop = (name: string): void => {
    sql(server, "postgres", `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  };
  return {
    source: protectPostgres(accessTo(server, { databases })),
    world: async () => {
      const names = sql(server, "postgres", "SELECT datname FROM pg_database ORDER BY 1");
      return [names, ...databases.map((name) => checksums(server, name))].join("\n");
    },
    change: async () => void sql(server, shop, "INSERT INTO things VALUES ('two')"),
    async removeItem() {
      drop(mail);
      return mail;
    },
    removeAll: async () => databases.forEach(drop),
    held: sessions,
    digest,
    async [Symbol.asyncDispose]() {
      databases.forEach(drop);
      assert.equal(await sessions(), 0);
    },
  };
});
