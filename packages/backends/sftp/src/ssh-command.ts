import { closeSync, openSync } from "node:fs";
import { ComebackError, splitShellWords } from "@comeback/core";
import type { SftpPlace } from "./parse-location.ts";

/** A program that speaks SFTP on its standard input and output. */
export interface SshCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** For messages: the server, and nothing of the arguments, which may hold a secret. */
  readonly host: string;
  /** The program is the user's own, and not told how to behave. */
  readonly isOwn: boolean;
}

/** As restic builds it: `ssh HOST -p PORT -l USER ARGS… -s sftp`, or what the user set instead. */
export function sshCommandFor(
  place: SftpPlace,
  settings: ReadonlyMap<string, string> = new Map(),
): SshCommand {
  const { host, user, port } = place;
  const [command, args] = [settings.get("command"), settings.get("args")];
  if (command !== undefined && args !== undefined) {
    throw new ComebackError("option.invalid", "sftp.command and sftp.args contradict each other", {
      next: "put the arguments into sftp.command, or leave that out",
    });
  }
  if (command !== undefined) {
    const [program = "", ...rest] = splitShellWords("sftp.command", command);
    return { program, args: rest, host, isOwn: true };
  }
  return {
    program: "ssh",
    args: [
      host,
      ...(port === undefined ? [] : ["-p", port]),
      ...(user === undefined ? [] : ["-l", user]),
      ...(args === undefined ? [] : splitShellWords("sftp.args", args)),
    ],
    host,
    isOwn: false,
  };
}

/**
 * ssh asks for passphrases, and whether a new host is trusted, on the terminal itself. Where there
 * is none, or nobody who looks at it, it must not wait for an answer.
 */
export function argumentsOf(command: SshCommand, mayAsk: boolean): readonly string[] {
  if (command.isOwn) return command.args;
  // Behind the user's own: ssh takes the first value that it is given.
  return [...command.args, ...(mayAsk ? [] : ["-o", "BatchMode=yes"]), "-s", "sftp"];
}

/** Whether this process has a terminal on which ssh could ask. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r+"));
    return true;
  } catch {
    return false;
  }
}
