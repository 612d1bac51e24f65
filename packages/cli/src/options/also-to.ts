import type { Command } from "commander";
import { badUsage } from "./option-error.ts";
import type { PasswordPlace } from "./places.ts";

/** One more repository that a backup goes to. */
export interface AlsoTo {
  readonly location: string;
  /** Where its password comes from; the one of `--repo` fits where nothing is said. */
  password?: PasswordPlace;
}

/**
 * `--also-to`, and passwords that belong to the one before them. The result is filled while the
 * command line is parsed: only there the order of different options is known.
 */
export function addAlsoToOptions(command: Command): readonly AlsoTo[] {
  const list: AlsoTo[] = [];
  const setPassword = (password: PasswordPlace, option: string): void => {
    const last = list.at(-1);
    if (last === undefined) {
      throw badUsage(`${option} stands before any --also-to`, "put it behind the one it is for");
    }
    if (last.password !== undefined) {
      throw badUsage(`${option} is a second answer to one question`, "leave one of them out");
    }
    last.password = password;
  };
  command
    .option("--also-to <repository>", "save into this one, too; repeatable", (location) => {
      list.push({ location });
    })
    .option("--also-password-file <file>", "its password, if it is another", (path) => {
      const option = "--also-password-file";
      setPassword({ kind: "file", path, option }, option);
    })
    .option("--also-password-command <command>", "... or a command that prints it", (text) => {
      const option = "--also-password-command";
      setPassword({ kind: "command", command: text, option }, option);
    });
  return list;
}
