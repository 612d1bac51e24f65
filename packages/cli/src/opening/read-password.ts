import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { ComebackError, decodeTextFile, displayText, splitShellWords } from "@comeback/core";
import type { CommandContext } from "../context.ts";
import type { PasswordPlace } from "../options/places.ts";
import { askPassword } from "./ask-password.ts";

const COMMAND_OUTPUT_MAX_BYTES = 1024 * 1024;
const WAYS =
  "set COMEBACK_PASSWORD, or use --password-file or --password-command, or run it in a terminal";

export interface PasswordRequest {
  /** Ask twice, for a password that is new. */
  readonly isNew: boolean;
  /** Standard input is somebody else's: a password must not be read from it. */
  readonly stdinIsTaken?: boolean;
  /** Where another password than the repository's comes from. */
  readonly from?: PasswordPlace;
  /** What the terminal asks. */
  readonly prompt?: string;
}

/** The password, from where the user said it is. */
export async function readPassword(
  context: CommandContext,
  request: PasswordRequest,
): Promise<string> {
  const password = await readFrom(request.from ?? context.globals.password, context, request);
  if (password !== "") return password;
  throw new ComebackError("option.invalid", "the password is empty", { next: WAYS });
}

function readFrom(
  place: PasswordPlace,
  context: CommandContext,
  request: PasswordRequest,
): Promise<string> | string {
  switch (place.kind) {
    case "variable":
      return context.env[place.name] ?? "";
    case "file":
      return readPasswordFile(place);
    case "command":
      return runPasswordCommand(place.option, place.command, context.signal);
    case "reference":
      return place.resolve();
    case "ask":
      if (request.stdinIsTaken === true) throw stdinIsTaken();
      return askPassword(context, request);
  }
}

function stdinIsTaken(): ComebackError {
  return new ComebackError(
    "option.invalid",
    "the password and the data cannot both come from stdin",
    {
      next: "set COMEBACK_PASSWORD, or use --password-file or --password-command",
    },
  );
}

async function readPasswordFile(place: PasswordPlace & { kind: "file" }): Promise<string> {
  const { path, option = "--password-file (or COMEBACK_PASSWORD_FILE)" } = place;
  try {
    return displayText(decodeTextFile(await readFile(path))).trim();
  } catch (cause) {
    throw new ComebackError("option.invalid", "the password file cannot be read", {
      next: `check ${option} and the file's permissions`,
      cause,
    });
  }
}

/** Its stdout is the password; its stderr and its terminal are the user's. */
function runPasswordCommand(option: string, command: string, signal: AbortSignal): Promise<string> {
  const [program = "", ...args] = splitShellWords(option, command);
  return new Promise((resolve, reject) => {
    const options = { signal, maxBuffer: COMMAND_OUTPUT_MAX_BYTES, encoding: "utf8" } as const;
    const child = execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout.trim());
      else reject(signal.aborted ? signal.reason : commandFailed(option, program, error));
    });
    child.stderr?.pipe(process.stderr);
  });
}

const START_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such program",
  EACCES: "there is no such program, or it may not be run",
};

/** The message of Node's error holds the whole command line, which may hold secrets: it stays out. */
function commandFailed(option: string, program: string, error: Error): ComebackError {
  const { code, signal } = error as { code?: number | string; signal?: string };
  const why =
    typeof code === "number"
      ? `it ended with exit code ${code}`
      : code === undefined
        ? `it was ended by ${signal ?? "a signal"}`
        : (START_FAILURES[code] ?? code);
  return new ComebackError("command.failed", `the password command ${program} failed`, {
    why,
    next: `try the command by itself, and check ${option}`,
  });
}
