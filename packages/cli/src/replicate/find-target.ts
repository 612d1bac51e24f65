import { ComebackError, splitShellWords } from "@comeback/core";
import { withoutPasswords } from "@comeback/platform";
import { badUsage } from "../options/option-error.ts";
import { CommandTarget } from "./command-target.ts";
import type { ReplicationTarget } from "./replication-target.ts";
import { RsyncTarget } from "./rsync-target.ts";

const ACCEPTED = "rsync:[USER@]HOST:/PATH, rsync:/PATH or command:/PATH/TO/PROGRAM";

/** The target that `--to` names. */
export function findTarget(options: {
  readonly to: string;
  readonly rsyncArgs: string | undefined;
  /** The source's folder, and the id of its repository. */
  readonly folder: string;
  readonly repositoryId: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): ReplicationTarget {
  const { to, rsyncArgs, folder, repositoryId } = options;
  const env = withoutPasswords(options.env);
  if (to.startsWith("command:")) {
    if (rsyncArgs !== undefined) throw badUsage("--rsync-args is for rsync alone", "leave it out");
    const [program = "", ...args] = splitShellWords("--to", to.slice("command:".length));
    return new CommandTarget({ folder, repositoryId, program, args, env });
  }
  // `rsync://host/module` is rsync's own form for a daemon, and handed on as it is.
  const place = to.startsWith("rsync://") ? to : to.replace(/^rsync:/, "");
  if (!to.startsWith("rsync:") || place === "" || place.startsWith("-") || /[\0\n]/.test(place)) {
    throw new ComebackError("option.invalid", "--to names no target", {
      next: `accepted: ${ACCEPTED}`,
    });
  }
  const args = rsyncArgs === undefined ? [] : splitShellWords("--rsync-args", rsyncArgs);
  const bad = args.find((arg) => /^--(?:inplace|append|delete|remove-source|write-dev)/.test(arg));
  if (bad !== undefined) {
    throw badUsage(
      `${bad} would break what replication guarantees`,
      "leave it out of --rsync-args; --delete is an option of replicate itself",
    );
  }
  return new RsyncTarget({ folder, place, args, env });
}
