import {
  type CacheFolder,
  cacheSizeBytes,
  defaultCacheDirectory,
  listCaches,
  removeCache,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { badUsage } from "../options/option-error.ts";
import { parseInteger } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";
import { formatBytes, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";

interface CacheFlags {
  readonly cleanup?: true;
  readonly maxAge: string;
  readonly size: boolean;
}

const DAY_MS = 86_400_000;
const SHOWN_ID_CHARACTERS = 10;

export const define: CommandModule["define"] = (command, run) => {
  command
    .option("--cleanup", "remove the caches that are old")
    .option("--max-age <days>", "a cache unused for longer is old", "30")
    .option("--no-size", "do not add up how large each is")
    .action(
      run<CacheFlags>(async (context, flags) => {
        const { globals, env } = context;
        if (!globals.useCache) {
          throw badUsage("--no-cache leaves nothing to do here", "leave it out");
        }
        const maxAgeMs = parseInteger("--max-age", flags.maxAge, { min: 0 }) * DAY_MS;
        const directory = globals.cacheDirectory ?? defaultCacheDirectory(env);
        const caches = await listCaches(directory);
        caches.sort((a, b) => a.usedAtMs - b.usedAtMs);
        const listing = { directory, caches, maxAgeMs };
        if (flags.cleanup === true) await cleanUp(context, listing);
        else await show(context, listing, flags.size);
        return 0;
      }),
    );
};

interface Listing {
  readonly directory: string;
  readonly caches: readonly CacheFolder[];
  readonly maxAgeMs: number;
}

function isOld({ usedAtMs }: CacheFolder, { clock }: CommandContext, maxAgeMs: number): boolean {
  return clock.now() - usedAtMs > maxAgeMs;
}

async function cleanUp(context: CommandContext, listing: Listing): Promise<void> {
  const { terminal, globals } = context;
  const { directory, caches, maxAgeMs } = listing;
  const old = caches.filter((cache) => isOld(cache, context, maxAgeMs));
  for (const { repositoryId } of old) await removeCache(directory, repositoryId);
  if (globals.json) terminal.print(JSON.stringify({ removed: old.map((c) => c.repositoryId) }));
  else if (!globals.quiet) {
    terminal.print(
      old.length === 0 ? "no old caches" : `removed ${formatMany(old.length, "old cache")}`,
    );
  }
}

async function show(context: CommandContext, listing: Listing, withSize: boolean): Promise<void> {
  const { terminal, globals, clock } = context;
  const { directory, caches, maxAgeMs } = listing;
  const rows = [];
  for (const cache of caches) {
    const sizeBytes = withSize ? await cacheSizeBytes(cache) : undefined;
    rows.push({ ...cache, sizeBytes, isOld: isOld(cache, context, maxAgeMs) });
  }
  if (globals.json) {
    const messages = rows.map(({ repositoryId, usedAtMs, isOld, sizeBytes }) => ({
      repository_id: repositoryId,
      last_used: new Date(usedAtMs).toISOString(),
      old: isOld,
      ...(sizeBytes === undefined ? {} : { size: sizeBytes }),
    }));
    terminal.print(JSON.stringify(messages));
    return;
  }
  if (rows.length === 0) {
    terminal.print(printableText(`no caches in ${directory}`));
    return;
  }
  const columns: Column[] = [
    { title: "Repository" },
    { title: "Last used" },
    { title: "Old" },
    ...(withSize ? [{ title: "Size", align: "right" as const }] : []),
  ];
  const cells = rows.map(({ repositoryId, usedAtMs, isOld, sizeBytes }) => [
    repositoryId.slice(0, SHOWN_ID_CHARACTERS),
    `${formatMany(Math.max(0, Math.floor((clock.now() - usedAtMs) / DAY_MS)), "day")} ago`,
    isOld ? "yes" : "",
    ...(sizeBytes === undefined ? [] : [formatBytes(sizeBytes)]),
  ]);
  const footer = printableText(`${formatMany(rows.length, "cache")} in ${directory}`);
  terminal.print(renderTable(columns, cells, footer).join("\n"));
}
