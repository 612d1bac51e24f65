import { checkCatalog, isServer, openCatalog, setAsideCatalog } from "@comeback/catalog";
import { isComebackError } from "@comeback/core";
import { listSnapshots } from "@comeback/engine";
import { rebuildCatalog } from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { repositoryLocation } from "../opening/find-backend.ts";
import { redactLocation } from "../opening/redact-location.ts";
import { openSession } from "../opening/session.ts";
import { formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";

/** Fills the catalog from the repository of `-r`; a damaged one is put aside first. */
export async function rebuildFromRepository(
  context: CommandContext,
  options: {
    readonly location: string;
    readonly host: string;
    readonly destination: string | undefined;
  },
): Promise<void> {
  const { terminal, globals, clock, signal } = context;
  const { location, host } = options;
  const destination =
    options.destination ?? context.destination ?? redactLocation(await repositoryLocation(globals));
  await using session = await openSession(context, { lock: "shared" });
  const snapshots = await listSnapshots(session.repository, {}, { signal: session.signal });
  const aside = putAsideWhereDamaged(location, context);
  await using store = await openCatalog(location, { host, clock, signal });
  const summary = await rebuildCatalog({
    store,
    destination,
    snapshots,
    signal: session.signal,
  });
  if (globals.json) {
    const message = { message_type: "summary", destination, ...summary };
    terminal.print(JSON.stringify(aside === undefined ? message : { ...message, aside }));
    return;
  }
  if (aside !== undefined) {
    terminal.printError(printableText(`the catalog was damaged; it is kept as ${aside}`));
  }
  if (globals.quiet) return;
  const { runs, known, foreign } = summary;
  terminal.print(
    `recorded ${formatMany(summary.snapshots, "snapshot")} and ${formatMany(runs, "run")} of ` +
      printableText(destination) +
      (summary.hosts.length > 1 ? `, of ${formatMany(summary.hosts.length, "host")}` : ""),
  );
  if (known > 0) terminal.print(`${formatMany(known, "snapshot")} already known`);
  if (foreign > 0) terminal.print(`${formatMany(foreign, "snapshot")} made by no plan's run`);
}

/** Where it was put; none where there was no need. */
function putAsideWhereDamaged(location: string, context: CommandContext): string | undefined {
  if (isServer(location)) return undefined;
  try {
    checkCatalog(location);
    return undefined;
  } catch (error) {
    if (!isComebackError(error, "catalog.damaged")) throw error;
    return setAsideCatalog(location, context.clock);
  }
}
