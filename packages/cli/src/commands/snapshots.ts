import { groupSnapshots } from "@comeback/engine";
import { openSession } from "../opening/session.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import { parseGroupBy, parseInteger } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { keepLatest } from "../snapshots/keep-latest.ts";
import {
  renderGroupTitle,
  renderSnapshots,
  snapshotMessage,
} from "../snapshots/render-snapshots.ts";

interface SnapshotsFlags extends FilterFlags {
  readonly compact?: true;
  readonly groupBy: string;
  readonly latest?: string;
}

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(command.argument("[snapshot...]", "ids, or `latest`; default: all"))
    .option("-c, --compact", "leave the paths out")
    .option("-g, --group-by <group>", "group by host, paths and tags, separated by commas", "")
    .option("--latest <n>", "only the last n of each host and path set")
    .action(
      run<SnapshotsFlags>(async (context, flags, names) => {
        const by = parseGroupBy("--group-by", flags.groupBy);
        const latest =
          flags.latest === undefined
            ? undefined
            : parseInteger("--latest", flags.latest, { min: 1 });
        await using session = await openSession(context, { lock: "shared" });
        const found = await findSnapshots(session, names, filterOf(flags, context.env));
        const kept = latest === undefined ? found : keepLatest(found, latest);
        const { terminal, globals } = context;
        if (flags.groupBy === "") {
          terminal.print(
            globals.json
              ? JSON.stringify(kept.map(snapshotMessage))
              : renderSnapshots(kept, flags.compact === true).join("\n"),
          );
          return 0;
        }
        const groups = groupSnapshots(kept, by);
        if (globals.json) {
          const messages = groups.map(({ key, snapshots }) => ({
            group_key: key,
            snapshots: snapshots.map(snapshotMessage),
          }));
          terminal.print(JSON.stringify(messages));
          return 0;
        }
        for (const { key, snapshots } of groups) {
          terminal.print(renderGroupTitle(key));
          terminal.print(renderSnapshots(snapshots, flags.compact === true).join("\n"));
        }
        return 0;
      }),
    );
};
