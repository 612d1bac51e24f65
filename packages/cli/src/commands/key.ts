import type { Command } from "commander";
import { addKey, changePassword, listKeys, removeKey } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { readPassword } from "../opening/read-password.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import type { PasswordPlace } from "../options/places.ts";
import type { CommandModule } from "../program.ts";
import { keyMessages, renderKeys } from "../keys/render-keys.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { shortId } from "../snapshots/render-snapshots.ts";

interface KeyFlags {
  readonly newPasswordFile?: string;
  readonly newPasswordCommand?: string;
  readonly host?: string;
  readonly user?: string;
}

const ACTIONS = ["list", "add", "remove", "passwd"] as const;

const DESCRIPTION = `List and change the keys of the repository, one for each password.

  list       the keys; the one in use has a star
  add        a further password
  remove ID  take a password away; never the one in use
  passwd     another password in place of the one in use

All keys open the same: who once had one may have kept what it opens.`;

export const define: CommandModule["define"] = (command, run) => {
  addKeyOptions(command.description(DESCRIPTION)).action(
    run<KeyFlags>(async (context, flags, [action = "", ...ids]) => {
      const wanted = parseChoice("the action of `key`", action, ACTIONS);
      if (ids.length !== (wanted === "remove" ? 1 : 0)) {
        const next = "`comeback key remove ID` takes one id, the other actions take none";
        throw badUsage(wanted === "remove" ? "remove which key?" : "too many arguments", next);
      }
      assertFlags(wanted, flags);
      if (wanted === "list") await list(context);
      else if (wanted === "remove") await remove(context, ids[0] ?? "");
      else await addOrChange(context, flags, wanted);
      return 0;
    }),
  );
};

function addKeyOptions(command: Command): Command {
  return command
    .argument("<action>", "list, add, remove or passwd")
    .argument("[id]", "the key to remove, or the beginning of its id")
    .option("--new-password-file <file>", "file that holds the new password")
    .option("--new-password-command <command>", "command that prints the new password")
    .option("--host <host>", "the new key's host name, for the list")
    .option("--user <user>", "the new key's user name, for the list");
}

/** An option that would do nothing is a misunderstanding. */
function assertFlags(action: (typeof ACTIONS)[number], flags: KeyFlags): void {
  const makesKey = action === "add" || action === "passwd";
  if (!makesKey && Object.keys(flags).some((name) => /^(newPassword|host|user)/.test(name))) {
    throw badUsage(`\`key ${action}\` makes no key`, "leave the options for new keys out");
  }
  if (flags.newPasswordFile !== undefined && flags.newPasswordCommand !== undefined) {
    throw badUsage(
      "--new-password-file and --new-password-command are two answers to one question",
      "leave one of them out",
    );
  }
}

async function list(context: CommandContext): Promise<void> {
  const { terminal, globals } = context;
  await using session = await openSession(context, { lock: "shared" });
  const { keys, unusable } = await listKeys(session.repository, { signal: session.signal });
  for (const { id, error } of unusable) {
    terminal.printError(`warning: key ${shortId(id)} is of no use: ${error.why ?? error.message}`);
  }
  terminal.print(globals.json ? JSON.stringify(keyMessages(keys)) : renderKeys(keys).join("\n"));
}

async function remove(context: CommandContext, id: string): Promise<void> {
  requireLock(context, "removing a key");
  // Two who remove each other's key at the same moment would leave none: only one at a time.
  await using session = await openSession(context, { lock: "exclusive" });
  await session.mayWrite;
  const removed = await removeKey(session.repository, id, { signal: session.signal });
  report(context, { removed }, `removed key ${shortId(removed)}`);
}

async function addOrChange(
  context: CommandContext,
  flags: KeyFlags,
  action: "add" | "passwd",
): Promise<void> {
  requireLock(context, "a new key");
  const from = newPasswordPlace(context, flags);
  const lock = action === "add" ? "shared" : "exclusive";
  await using session = await openSession(context, { lock });
  const { repository, signal, mayWrite } = session;
  const prompt = "enter the new password: ";
  const password = await readPassword(context, { isNew: true, from, prompt });
  const options = {
    password,
    signal,
    ...(flags.host === undefined ? {} : { hostname: flags.host }),
    ...(flags.user === undefined ? {} : { username: flags.user }),
  };
  await mayWrite;
  if (action === "add") {
    const added = await addKey(repository, options);
    report(context, { added }, `saved new key ${shortId(added)}`);
    return;
  }
  const changed = await changePassword(repository, options);
  const { added, removed } = changed;
  report(context, changed, `saved new key ${shortId(added)}, removed key ${shortId(removed)}`);
}

function newPasswordPlace({ globals }: CommandContext, flags: KeyFlags): PasswordPlace {
  const { newPasswordFile: path, newPasswordCommand: command } = flags;
  if (path !== undefined) return { kind: "file", path, option: "--new-password-file" };
  if (command !== undefined) return { kind: "command", command, option: "--new-password-command" };
  if (globals.password.kind === "ask" && !process.stdin.isTTY) {
    throw badUsage(
      "both passwords cannot come from standard input",
      "use --new-password-file or --new-password-command, or run it in a terminal",
    );
  }
  return { kind: "ask" };
}

function report(
  { terminal, globals }: CommandContext,
  ids: { readonly added?: string; readonly removed?: string },
  text: string,
): void {
  if (globals.json) terminal.print(JSON.stringify({ message_type: "summary", ...ids }));
  else if (!globals.quiet) terminal.print(text);
}
