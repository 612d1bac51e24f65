import type { Command } from "commander";
import { bytesOfArgument } from "./argument-bytes.ts";
import { fromEnvironment } from "./environment-names.ts";
import { parseTagLists } from "./parse-values.ts";
import { gather } from "./repeatable.ts";
import type { SnapshotFilter } from "@comeback/engine";
import { displayText } from "@comeback/core";

export interface FilterFlags {
  readonly host: readonly string[];
  readonly tag: readonly string[];
  readonly path: readonly string[];
}

/** Where a command's own `-H` means something else, it says so by `hostFlags`. */
export function addFilterOptions(command: Command, hostFlags = "-H, --host <host>"): Command {
  return command
    .option(hostFlags, "only snapshots of this host; repeatable", gather, [])
    .option("--tag <tag[,tag...]>", "only snapshots with all of these tags; repeatable", gather, [])
    .option(
      "--path <path>",
      "only snapshots that include this absolute path; repeatable",
      gather,
      [],
    );
}

/** As restic: $RESTIC_HOST where no host is given, and `--host ""` for every host. */
export function filterOf(flags: FilterFlags, env: NodeJS.ProcessEnv): SnapshotFilter {
  const fallback = fromEnvironment(env, "HOST");
  const hosts = flags.host.length === 0 && fallback !== undefined ? [fallback] : flags.host;
  return {
    hosts: hosts.filter((host) => host !== ""),
    tags: parseTagLists(flags.tag),
    paths: flags.path.map((path) => displayText(bytesOfArgument(path))),
  };
}
