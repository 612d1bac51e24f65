import type { CatalogStore } from "@comeback/core";
import type { Configuration } from "../configuration/schema/configuration.ts";

/** The source of every plan that brings the configuration back. */
export const KIT_SOURCE = "comeback-kit";
export const KIT_FOLDER = "/comeback-kit";
/** Runs and snapshots of the catalog that go into the kit. */
const EXPORTED_RUNS_MAX = 1_000;
const EXPORTED_SNAPSHOTS_MAX = 5_000;

export interface KitFile {
  /** Below KIT_FOLDER. */
  readonly name: string;
  readonly text: string;
}

/**
 * What has to be known to begin again on a bare machine: the configuration as it is written (secrets
 * are only named in it), what the catalog remembers, and what to do, in words.
 */
export async function bootstrapKit(options: {
  readonly plan: string;
  readonly host: string;
  readonly configuration: Configuration;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly catalog: CatalogStore;
}): Promise<KitFile[]> {
  const { files, catalog, plan } = options;
  const runs = await catalog.listRuns({ plan, limit: EXPORTED_RUNS_MAX });
  const snapshots = await catalog.listSnapshots({ plan, limit: EXPORTED_SNAPSHOTS_MAX });
  const lines = [
    ...runs.map((run) => JSON.stringify({ run })),
    ...snapshots.map((snapshot) => JSON.stringify({ snapshot })),
  ];
  return [
    ...files.map(({ path, text }) => ({ name: `configuration${path}`, text })),
    { name: "catalog.jsonl", text: lines.map((line) => `${line}\n`).join("") },
    { name: "RECOVERY.md", text: instructions(options) },
  ];
}

function instructions(options: {
  readonly plan: string;
  readonly host: string;
  readonly configuration: Configuration;
  readonly files: readonly { readonly path: string }[];
}): string {
  const { plan, host, configuration, files } = options;
  const settings = configuration.plans[plan];
  const names = [...(settings?.to ?? []), ...(settings?.copies ?? []).map(({ to }) => to)];
  const places = names.map((name) => `- ${name}: \`${configuration.destinations[name]?.repo}\``);
  const sources = Object.entries(settings?.sources ?? {}).map(
    ([name, { kind }]) =>
      `- ${name} (${kind}): \`comeback -r REPOSITORY restore latest --tag source:${name} --target /\``,
  );
  return `# How to get ${plan} of ${host} back

You need one of these repositories, and its password:

${places.join("\n")}

1. Install Comeback, or restic: both read the repository.
2. Bring the configuration back:
   \`comeback -r REPOSITORY recover --kit --target DIR\`. It was in
${files.map(({ path }) => `   - \`${path}\``).join("\n")}
   Secrets are not in it, only where they were: put them there again.
3. See what there is: \`comeback -r REPOSITORY snapshots --tag plan:${plan}\`.
4. Bring the sources back:
${sources.join("\n")}
5. Dumps of PostgreSQL go through \`comeback dump … | pg_restore\`; see \`docs/reference/postgres.md\`.
`;
}
