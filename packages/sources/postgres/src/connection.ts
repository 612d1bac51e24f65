import { ComebackError } from "@comeback/core";

/** Where a server is, and as whom. */
export interface PostgresAddress {
  /** "postgres://user@host:5432/postgres"; the local server by default. */
  readonly url?: string | undefined;
  readonly password?: string | undefined;
}

/** What libpq is told. The password goes through the environment alone: arguments can be seen. */
export interface Connection {
  /** libpq's keywords: host, port, user, sslmode, ... */
  readonly keywords: ReadonlyMap<string, string>;
  /** The database that is used to look around. */
  readonly database: string;
  readonly password: string | undefined;
  /** For people. */
  readonly shown: string;
}

const MAINTENANCE_DATABASE = "postgres";

/** Rejects what is no URL of PostgreSQL with `configuration.invalid`. */
export function parseConnection({ url, password }: PostgresAddress): Connection {
  const keywords = new Map<string, string>();
  if (url === undefined) {
    return { keywords, database: MAINTENANCE_DATABASE, password, shown: "the local server" };
  }
  const parsed = parseUrl(url);
  const host = decode(parsed.hostname).replace(/^\[(.*)\]$/, "$1");
  if (host !== NO_HOST && host !== "") keywords.set("host", host);
  if (parsed.port !== "") keywords.set("port", parsed.port);
  if (parsed.username !== "") keywords.set("user", decode(parsed.username));
  let inUrl = parsed.password === "" ? undefined : decode(parsed.password);
  for (const [key, value] of parsed.searchParams) {
    if (key === "password") inUrl = value;
    else keywords.set(key, value);
  }
  const database =
    keywords.get("dbname") ?? (decode(parsed.pathname.slice(1)) || MAINTENANCE_DATABASE);
  keywords.delete("dbname");
  const place = keywords.get("host") ?? "the local server";
  const port = keywords.get("port");
  return {
    keywords,
    database,
    password: password ?? inUrl,
    shown: port === undefined ? place : `${place}, port ${port}`,
  };
}

/** libpq's connection string for one database, without a password. */
export function conninfo({ keywords }: Connection, database: string): string {
  return [...keywords, ["dbname", database] as const]
    .map(([key, value]) => `${key}='${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`)
    .join(" ");
}

/** Stands for the host that libpq allows to be left out behind a user. */
const NO_HOST = "none.invalid";

function parseUrl(url: string): URL {
  const whole = url.replace(/^(\w+:\/\/(?:[^/?#]*@)?)(?=:|\/|\?|$)/, `$1${NO_HOST}`);
  const parsed = URL.canParse(whole) ? new URL(whole) : undefined;
  const isPostgres = /^postgres(?:ql)?:$/.test(parsed?.protocol ?? "");
  const keys = [...(parsed?.searchParams.keys() ?? [])];
  if (parsed !== undefined && isPostgres && keys.every((key) => /^[a-z_]+$/.test(key))) {
    return parsed;
  }
  // The URL itself is not shown: it may hold a password.
  throw new ComebackError("configuration.invalid", "the URL is not one of a PostgreSQL server", {
    next: 'write it as "postgres://user@host:5432/postgres", the password apart from it',
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
