import pg from "pg";
import type { StartedPostgres } from "./start-postgres.ts";

let made = 0;

/** Makes an empty database on the server; its URL. */
export async function makeDatabase(server: StartedPostgres): Promise<string> {
  made++;
  const name = `made_${process.pid}_${made}`;
  await queryPostgres(server.url, `create database ${name}`);
  return server.urlOf(name);
}

/** Asks one question, on a connection of its own. */
export async function queryPostgres(
  url: string,
  sql: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}
