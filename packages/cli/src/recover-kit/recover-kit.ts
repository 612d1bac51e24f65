import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { byteStringFromText, ComebackError, displayText, ExitCode } from "@comeback/core";
import { listSnapshots, type Repository, restore, type Snapshot } from "@comeback/engine";
import { KIT_FOLDER, KIT_SOURCE, readSnapshotTags } from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { badUsage } from "../options/option-error.ts";
import { type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { wrapWords } from "../terminal/display-width.ts";
import { formatLocalTime } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";

export interface KitFlags extends FilterFlags {
  readonly target?: string;
  readonly dryRun?: true;
}

/** The newest kit, and whose others there are besides. */
interface FoundKit {
  readonly snapshot: Snapshot;
  readonly plan: string;
  readonly others: readonly string[];
}

/**
 * Brings back what it takes to begin again: the newest bootstrap kit's files, into a folder that is
 * empty or not there yet.
 */
export async function recoverKit(context: CommandContext, flags: KitFlags): Promise<number> {
  const { terminal, globals } = context;
  const { target } = flags;
  if (target === undefined || target === "") {
    throw badUsage("recover the kit to where?", "name an empty folder with --target");
  }
  await requireEmpty(target);
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  const [kit] = await Promise.all([
    findKit(repository, filterOf(flags, context.env), signal),
    repository.loadIndex({ includeMarked: true, signal }),
  ]);
  const files: string[] = [];
  const result = await restore({
    repository,
    snapshot: kit.snapshot,
    subpath: byteStringFromText(KIT_FOLDER),
    target: bytesOfArgument(target),
    overwrite: "never",
    dryRun: flags.dryRun === true,
    verify: flags.dryRun !== true,
    signal,
    observer: {
      onItem: ({ path, type }) => {
        if (type === "file") files.push(displayText(path));
      },
    },
  });
  const [problem] = result.problemsKept;
  if (problem !== undefined) throw notWhole(kit, problem.message);
  files.sort();
  if (globals.json) terminal.print(JSON.stringify(kitMessage(kit, { target, files, flags })));
  else if (!globals.quiet) {
    terminal.print(renderKit(kit, { target, files, flags }, terminal.columns).join("\n"));
  }
  return ExitCode.done;
}

async function requireEmpty(target: string): Promise<void> {
  const names = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (names.length === 0) return;
  throw new ComebackError("restore.target", `${target} is not empty`, {
    why: "what is there could be taken for what came from the repository",
    next: "name another folder; it is made where it is missing",
  });
}

async function findKit(
  repository: Repository,
  filter: ReturnType<typeof filterOf>,
  signal: AbortSignal,
): Promise<FoundKit> {
  const { tags = [] } = filter;
  const kitTag = `source:${KIT_SOURCE}`;
  const wanted = tags.length === 0 ? [[kitTag]] : tags.map((list) => [...list, kitTag]);
  const kits = await listSnapshots(repository, { ...filter, tags: wanted }, { signal });
  const snapshot = kits.at(-1);
  if (snapshot === undefined) {
    throw new ComebackError("snapshot.not-found", "there is no bootstrap kit in this repository", {
      why: "every run of a plan writes one; none has, or not with this host and these tags",
      next: "see what there is with `comeback snapshots`, and restore the configuration from it",
    });
  }
  const name = (one: Snapshot): string => `${planOf(one)} of ${one.hostname ?? "?"}`;
  const others = new Set(kits.map(name));
  others.delete(name(snapshot));
  return { snapshot, plan: planOf(snapshot), others: [...others] };
}

function planOf({ tags }: Snapshot): string {
  return readSnapshotTags(tags)?.plan ?? "?";
}

interface Recovered {
  readonly target: string;
  readonly files: readonly string[];
  readonly flags: KitFlags;
}

function renderKit(
  { snapshot, plan, others }: FoundKit,
  { target, files, flags }: Recovered,
  columns: number,
): string[] {
  const when = formatLocalTime(snapshot.time);
  const what = `${plan} of ${snapshot.hostname ?? "?"} as it was at ${when}, snapshot ${shortId(snapshot.id)}`;
  const lead = flags.dryRun === true ? "would restore to" : "restored to";
  const configuration = files.find((path) => /\.ya?ml$/.test(path)) ?? "/configuration";
  const place = join(target, configuration);
  const home = configuration.replace(/^\/configuration/, "");
  const steps = [
    `put ${place} back to ${home}, and beside it the secrets that it names: they are in no backup`,
    "see with `comeback plan check` whether all of it works here",
    `get the sources back as ${join(target, "RECOVERY.md")} says`,
  ];
  return [
    ...wrapWords(printableText(what), columns),
    `${lead} ${printableText(resolve(target))}:`,
    ...files.map((path) => `  ${printableText(path.slice(1))}`),
    ...(others.length === 0
      ? []
      : wrapWords(
          printableText(
            `there is also ${others.join(", ")}: choose with --host and --tag plan:NAME`,
          ),
          columns,
        )),
    "",
    "Next:",
    ...steps.flatMap((step, number) =>
      wrapWords(printableText(step), columns - 5).map(
        (line, at) => `  ${at === 0 ? `${number + 1}.` : "  "} ${line}`,
      ),
    ),
  ];
}

function kitMessage(
  { snapshot, plan, others }: FoundKit,
  { target, files, flags }: Recovered,
): object {
  return {
    message_type: "summary",
    dry_run: flags.dryRun === true,
    plan,
    host: snapshot.hostname,
    snapshot_id: snapshot.id,
    time: snapshot.time,
    target: resolve(target),
    files,
    others,
  };
}

function notWhole({ snapshot }: FoundKit, why: string): ComebackError {
  return new ComebackError("restore.incomplete", "the kit could not be restored whole", {
    why,
    next: `try another one: \`comeback snapshots --tag source:${KIT_SOURCE}\` lists them; this is ${shortId(snapshot.id)}`,
  });
}
