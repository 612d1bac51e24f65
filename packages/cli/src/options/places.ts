import type { OptionValues } from "commander";

/** Where the user said that the repository's location stands. */
export type RepositoryPlace =
  | { readonly kind: "location"; readonly location: string }
  | { readonly kind: "file"; readonly path: string };

/** Where the user said that the password comes from. */
export type PasswordPlace =
  | { readonly kind: "command"; readonly command: string; readonly option: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "variable"; readonly name: string }
  /** The terminal, or the first line of standard input. */
  | { readonly kind: "ask" };

/** Comeback's own variables beat their restic twins, as a whole level each. */
const PREFIXES = ["COMEBACK", "RESTIC"] as const;

/** A flag beats the environment. */
export function repositoryPlace(
  flags: OptionValues,
  env: NodeJS.ProcessEnv,
): RepositoryPlace | undefined {
  const levels = [
    { location: flags["repo"], path: flags["repositoryFile"] },
    ...PREFIXES.map((prefix) => ({
      location: env[`${prefix}_REPOSITORY`],
      path: env[`${prefix}_REPOSITORY_FILE`],
    })),
  ];
  for (const { location, path } of levels) {
    if (isGiven(location)) return { kind: "location", location };
    if (isGiven(path)) return { kind: "file", path };
  }
  return undefined;
}

/** Within a level restic's order holds: command, file, the password itself. */
export function passwordPlace(flags: OptionValues, env: NodeJS.ProcessEnv): PasswordPlace {
  const levels = [
    {
      option: "--password-command",
      command: flags["passwordCommand"],
      path: flags["passwordFile"],
      variable: undefined,
    },
    ...PREFIXES.map((prefix) => ({
      option: `${prefix}_PASSWORD_COMMAND`,
      command: env[`${prefix}_PASSWORD_COMMAND`],
      path: env[`${prefix}_PASSWORD_FILE`],
      variable: `${prefix}_PASSWORD`,
    })),
  ];
  for (const { option, command, path, variable } of levels) {
    if (isGiven(command)) return { kind: "command", command, option };
    if (isGiven(path)) return { kind: "file", path };
    if (variable !== undefined && isGiven(env[variable]))
      return { kind: "variable", name: variable };
  }
  return { kind: "ask" };
}

function isGiven(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
