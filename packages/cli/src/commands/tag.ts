import type { TagChanges } from "@comeback/engine";
import { openSession } from "../opening/session.ts";
import { badUsage, badValue } from "../options/option-error.ts";
import { parseTagLists } from "../options/parse-values.ts";
import { gather } from "../options/repeatable.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { changeAndReport, requireLock } from "../snapshots/change-tags-report.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { formatMany } from "../terminal/format-values.ts";

interface TagFlags extends FilterFlags {
  readonly set: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .argument("[snapshot...]", "ids, or `latest`; default: all that pass the filters")
    .option("--add <tag[,tag...]>", "add these tags; repeatable", gather, [])
    .option("--remove <tag[,tag...]>", "remove these tags; repeatable", gather, [])
    .option("--set <tag[,tag...]>", "put these in place of all tags; repeatable", gather, []);
  addFilterOptions(command).action(
    run<TagFlags>(async (context, flags, names) => {
      const changes = changesOf(flags);
      requireLock(context, "changing tags");
      const { terminal, globals, env } = context;
      await using session = await openSession(context, { lock: "shared" });
      const snapshots = await findSnapshots(session, names, filterOf(flags, env));
      const changed = await changeAndReport(context, session, {
        snapshots,
        changes,
        line: (old, id) => (globals.verbosity > 0 ? `${old} is ${id} now` : undefined),
      });
      if (!globals.json && !globals.quiet) {
        const what = changed === 0 ? "no snapshot" : formatMany(changed, "snapshot");
        terminal.print(`changed the tags of ${what}`);
      }
      return 0;
    }),
  );
};

function changesOf({ set, add, remove }: TagFlags): TagChanges {
  if (set.length + add.length + remove.length === 0) {
    throw badUsage("there is nothing to change", "give --add, --remove or --set");
  }
  if (set.length > 0 && add.length + remove.length > 0) {
    throw badUsage("--set contradicts --add and --remove", "leave one side out");
  }
  if (set.length === 0) return { add: tagsOf("--add", add), remove: tagsOf("--remove", remove) };
  // restic: the empty text means no tags.
  return { set: set.length === 1 && set[0] === "" ? [] : tagsOf("--set", set) };
}

function tagsOf(option: string, values: readonly string[]): string[] {
  const tags = parseTagLists(values).flat();
  if (tags.includes("")) throw badValue(option, values.join(","), "tags, separated by commas");
  return tags;
}
