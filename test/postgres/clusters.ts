import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { localBackendFactory } from "@comeback/backend-local";
import type { PinnedSource } from "@comeback/core";
import { backup, type BackupResult, instantOfMilliseconds, Repository } from "@comeback/engine";
import { systemClock, systemCommandRunner, systemRandom } from "@comeback/platform";
import { protectPostgres, type ProtectPostgresOptions } from "@comeback/source-postgres";
import { PASSWORD } from "../drivers/client.ts";
import type { StartedPostgres } from "../services/postgres/start-postgres.ts";

const { signal } = new AbortController();

/** Runs SQL, and gives what it prints, a line a row. */
export function sql(server: StartedPostgres, database: string, text: string): string {
  const args = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", server.urlOf(database)];
  return execFileSync(join(server.programFolder, "psql"), args, {
    encoding: "utf8",
    input: text,
    stdio: ["pipe", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  }).trim();
}

export function accessTo(
  server: StartedPostgres,
  more: Partial<ProtectPostgresOptions> = {},
): ProtectPostgresOptions {
  return {
    address: async () => ({
      url: `postgres://${server.user}@127.0.0.1:${server.port}/postgres`,
      password: server.password,
    }),
    runner: systemCommandRunner,
    globals: true,
    ...more,
  };
}

export function pinCluster(
  options: ProtectPostgresOptions,
  lines: string[] = [],
): Promise<PinnedSource> {
  const time = instantOfMilliseconds(systemClock.now());
  return protectPostgres(options).pin({ time, signal, onLine: (line) => lines.push(line) });
}

/** Saves what is pinned as a snapshot of a local repository. */
export async function backUp(folder: string, pinned: PinnedSource): Promise<BackupResult> {
  await using repository = await Repository.open({
    backend: await localBackendFactory.open(folder),
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
  });
  await repository.loadIndex();
  return await backup({
    repository,
    source: pinned.source,
    time: instantOfMilliseconds(systemClock.now()),
    hostname: "host",
    programVersion: "comeback test",
  });
}

/** Rows and a checksum of each table: equal where the contents are. */
export function checksums(server: StartedPostgres, database: string, before = ""): string {
  const tables = sql(
    server,
    database,
    `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  ).split("\n");
  assert.ok(tables.length > 0 && tables[0] !== "", "there is no table");
  const sums = tables.map(
    (table) =>
      `SELECT '${table}', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C")) FROM ${table} t;`,
  );
  return sql(server, database, [before, ...sums].join("\n"));
}

/** The schema as pg_dump writes it, without what differs at every call. */
export function schemaOf(server: StartedPostgres, database: string): string {
  const args = ["--schema-only", "-d", server.urlOf(database)];
  const text = execFileSync(join(server.programFolder, "pg_dump"), args, { encoding: "utf8" });
  return text.replaceAll(/^\\(?:un)?restrict .*$/gm, "");
}
