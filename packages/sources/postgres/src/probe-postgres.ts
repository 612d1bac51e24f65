import { type Finding, isComebackError } from "@comeback/core";
import { PostgresClient } from "./postgres-client.ts";
import { programsFor } from "./programs.ts";
import type { ProtectPostgresOptions } from "./protect-postgres.ts";
import { chooseDatabases, readServerFacts, type ServerFacts } from "./server-facts.ts";

/** Whether a cluster could be dumped now. */
export async function probePostgres(
  options: ProtectPostgresOptions,
  signal: AbortSignal,
): Promise<Finding[]> {
  signal.throwIfAborted();
  const findings: Finding[] = [];
  try {
    const client = await PostgresClient.create(options, signal);
    const facts = await readServerFacts(client, signal);
    const subject = `PostgreSQL ${facts.version}`;
    findings.push({ state: "passed", subject, message: `answers (${client.connection.shown})` });
    findings.push(...databaseFindings(facts, options), ...permissionFindings(facts, options));
    const { version, folder } = programsFor(client.found, facts.major);
    findings.push({ state: "passed", subject: `pg_dump ${version}`, message: `is in ${folder}` });
  } catch (error) {
    signal.throwIfAborted();
    if (!isComebackError(error)) throw error;
    const { message, why, next } = error;
    const whole = why === undefined ? message : `${message}: ${why}`;
    findings.push({
      state: "failed",
      subject: "PostgreSQL",
      message: whole,
      ...(next === undefined ? {} : { next }),
    });
  }
  return findings;
}

function databaseFindings(facts: ServerFacts, options: ProtectPostgresOptions): Finding[] {
  const { chosen, missing, skipped } = chooseDatabases(facts, options);
  const findings = chosen.map(({ name, mayConnect }): Finding => {
    const subject = `database ${name}`;
    if (mayConnect) return { state: "passed", subject, message: "can be connected to" };
    return {
      state: "failed",
      subject,
      message: "this user may not connect to it",
      next: `GRANT CONNECT ON DATABASE, or exclude it`,
    };
  });
  for (const { name, reason } of missing) {
    const next = "correct its name, or take it out of `databases`";
    findings.push({ state: "failed", subject: `database ${name}`, message: reason, next });
  }
  for (const { name, reason, isNotable } of skipped) {
    if (!isNotable) continue;
    const message = `is left out: it ${reason}`;
    const next = "exclude it by name where that is right";
    findings.push({ state: "warning", subject: `database ${name}`, message, next });
  }
  if (chosen.length > 0) return findings;
  const next = "look at `databases` and `exclude`";
  return [
    ...findings,
    { state: "failed", subject: "databases", message: "there is none to dump", next },
  ];
}

function permissionFindings(facts: ServerFacts, { globals }: ProtectPostgresOptions): Finding[] {
  const findings: Finding[] = [];
  if (globals && !facts.readsRoles) {
    findings.push({
      state: "failed",
      subject: "globals",
      message: "this user may not read the roles and their passwords",
      next: "dump as a superuser, GRANT pg_read_all_data, or say `globals: false` and keep the roles otherwise",
    });
  }
  if (!facts.readsAll) {
    findings.push({
      state: "unknown",
      subject: "permissions",
      message: "whether this user may read every table shows only when it is dumped",
      next: "GRANT pg_read_all_data TO the user",
    });
  }
  return findings;
}
