import { type AuditReport, verifyAudit } from "@comeback/catalog";
import { type AuditEntry, type AuditHead, type CatalogStore, ComebackError } from "@comeback/core";
import {
  addCatalogOption,
  type CatalogFlags,
  openCommandCatalog,
} from "../catalog/open-command-catalog.ts";
import { recordMessage } from "../catalog/record-message.ts";
import { localTime } from "../catalog/render-runs.ts";
import type { CommandContext } from "../context.ts";
import { badUsage, badValue } from "../options/option-error.ts";
import { parseChoice, parseInteger } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";
import { shortenMiddle } from "../terminal/display-width.ts";
import { formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";

interface AuditFlags extends CatalogFlags {
  readonly limit?: string;
  readonly head?: string;
}

const ACTIONS = ["list", "verify"] as const;
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 100_000;
const COLUMNS: readonly Column[] = [
  { title: "Entry", align: "right" },
  { title: "Time" },
  { title: "Who" },
  { title: "What" },
  { title: "Of" },
];
const WHO_COLUMNS_MAX = 14;
const WHAT_COLUMNS_MAX = 18;
const OF_COLUMNS_MAX = 16;

export const define: CommandModule["define"] = (command, run) => {
  addCatalogOption(command.argument("<action>", "list or verify"))
    .option("-n, --limit <n>", `list: the newest so many entries; ${LIMIT_DEFAULT} if not given`)
    .option("--head <entry:hash>", "verify: what an earlier one printed must still be there")
    .action(
      run<AuditFlags>(async (context, flags, [word = ""]) => {
        const action = parseChoice("the action", word, ACTIONS);
        if (action === "list" && flags.head !== undefined) {
          throw badUsage("--head goes with `audit verify` only", "leave it out");
        }
        if (action === "verify" && flags.limit !== undefined) {
          throw badUsage("the whole log is verified", "leave --limit out");
        }
        const limit =
          flags.limit === undefined
            ? LIMIT_DEFAULT
            : parseInteger("--limit", flags.limit, { min: 1, max: LIMIT_MAX });
        const knownHead = flags.head === undefined ? undefined : parseHead(flags.head);
        await using store = await openCommandCatalog(context, flags);
        if (action === "list") return await list(context, store, limit);
        const { signal } = context;
        const report = await verifyAudit(store, {
          signal,
          ...(knownHead === undefined ? {} : { knownHead }),
        });
        return tell(context, report);
      }),
    );
};

function parseHead(text: string): AuditHead {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence === undefined || hash === undefined) {
    throw badValue("--head", text, "the number of an entry and its hash, as `audit verify` prints");
  }
  return { sequence: Number(sequence), hash };
}

async function list(
  { terminal, globals }: CommandContext,
  store: CatalogStore,
  limit: number,
): Promise<number> {
  const { sequence } = await store.readAuditHead();
  const entries = await store.listAudit(Math.max(0, sequence - limit), limit);
  terminal.print(
    globals.json ? JSON.stringify(entries.map(auditMessage)) : renderEntries(entries).join("\n"),
  );
  return 0;
}

/** What is hashed stays as it is: names and values of details are not ours to change. */
function auditMessage(entry: AuditEntry): Record<string, unknown> {
  const { details, ...rest } = entry;
  return { ...recordMessage(rest), at_ms: entry.atMs, details };
}

function renderEntries(entries: readonly AuditEntry[]): string[] {
  if (entries.length === 0) return ["the audit log is empty"];
  const cut = (text: string, columns: number): string =>
    shortenMiddle(printableText(text), columns);
  const rows = entries.map(({ sequence, atMs, actor, action, subject }) => [
    String(sequence),
    localTime(atMs),
    cut(actor, WHO_COLUMNS_MAX),
    cut(action, WHAT_COLUMNS_MAX),
    cut(subject, OF_COLUMNS_MAX),
  ]);
  return renderTable(COLUMNS, rows);
}

function tell({ terminal, globals }: CommandContext, report: AuditReport): number {
  const { entries, head, broken } = report;
  if (globals.json) {
    terminal.print(JSON.stringify(report));
    return broken === undefined ? 0 : 1;
  }
  if (broken !== undefined) {
    const what = `the audit log is broken at entry ${broken.sequence}`;
    throw new ComebackError("audit.broken", what, {
      why: broken.problem,
      next: `entries up to ${entries} hold; compare the rest with a copy of the catalog`,
      context: { sequence: broken.sequence },
    });
  }
  const { green } = terminal.palette;
  terminal.print(`${green("whole")}: ${formatMany(entries, "entry", "entries")}`);
  terminal.print(`head: ${head.sequence}:${head.hash}`);
  return 0;
}
