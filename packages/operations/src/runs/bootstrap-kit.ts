import { KIT_CATALOG_MAX_BYTES, type RunRecord, type SnapshotRecord } from "@comeback/core";
import type { Configuration } from "../configuration/schema/configuration.ts";

/** The source of every plan that brings the configuration back. */
export const KIT_SOURCE = "comeback-kit";
export const KIT_FOLDER = "/comeback-kit";
export interface KitFile {
  /** Below KIT_FOLDER. */
  readonly name: string;
  readonly text: string;
}

/** What the catalog remembers of a plan, newest first. */
export interface KitHistory {
  readonly runs: readonly RunRecord[];
  readonly snapshots: readonly SnapshotRecord[];
}

interface KitOptions {
  readonly plan: string;
  readonly host: string;
  readonly configuration: Configuration;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly history: KitHistory;
}

/**
 * What has to be known to begin again on a bare machine: the configuration as it is written (secrets
 * are only named in it), what the catalog remembers, and what to do, in words.
 */
export function bootstrapKit(options: KitOptions): KitFile[] {
  return [
    ...options.files.map(({ path, text }) => ({ name: `configuration${path}`, text })),
    { name: "catalog.jsonl", text: catalogLines(options.history) },
    { name: "RECOVERY.md", text: instructions(options) },
  ];
}

/**
 * The newest records that fit into KIT_CATALOG_MAX_BYTES, a quarter of it for runs; oldest first, so
 * that what is new comes at the end. Repositories tell what is older.
 */
function catalogLines({ runs, snapshots }: KitHistory): string {
  const quarter = KIT_CATALOG_MAX_BYTES / 4;
  return [
    ...newestWithin(
      runs.map((run) => JSON.stringify({ run })),
      quarter,
    ),
    ...newestWithin(
      snapshots.map((snapshot) => JSON.stringify({ snapshot })),
      3 * quarter,
    ),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function newestWithin(lines: readonly string[], maximumBytes: number): string[] {
  let bytes = 0;
  const end = lines.findIndex((line) => (bytes += Buffer.byteLength(line) + 1) > maximumBytes);
  return lines.slice(0, end < 0 ? lines.length : end).toReversed();
}

function instructions({ plan, host, configuration, files }: KitOptions): string {
  const settings = configuration.plans[plan];
  const names = [...(settings?.to ?? []), ...(settings?.copies ?? []).map(({ to }) => to)];
  const places = names.map((name) => `- ${name}: \`${configuration.destinations[name]?.repo}\``);
  const sources = Object.entries(settings?.sources ?? {}).map(
    ([name, { kind }]) =>
      `- ${name} (${kind}): \`comeback -r REPOSITORY restore latest --host ${host} --tag plan:${plan},source:${name} --target /\``,
  );
  return `# How to get ${plan} of ${host} back

You need one of these repositories, and its password:

${places.join("\n")}

1. Install Comeback, or restic: both read the repository.
2. Bring the configuration back:
   \`comeback -r REPOSITORY recover --kit --target DIR --host ${host} --tag plan:${plan}\`, or with restic
   \`restic -r REPOSITORY restore latest --host ${host} --tag plan:${plan},source:${KIT_SOURCE} --target DIR\`. It was in
${files.map(({ path }) => `   - \`${path}\``).join("\n")}
   Secrets are not in it, only where they were: put them there again.
3. See what there is: \`comeback -r REPOSITORY snapshots --host ${host} --tag plan:${plan}\`.
4. Bring the sources back; restic takes the same words:
${sources.map((line) => `   ${line}`).join("\n")}
5. Dumps of PostgreSQL go through \`comeback dump … | pg_restore\`; see \`docs/reference/postgres.md\`.
`;
}
