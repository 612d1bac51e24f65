import type { OptionValues } from "commander";

/** Where the user said that the repository's location stands. */
export type RepositoryPlace =
  | { readonly kind: "location"; readonly location: string }
  | { readonly kind: "file"; readonly path: string };

/** What may be the name of a destination, and is no location but a folder's. */
export function isPlainWord(location: string): boolean {
  return /^\w[\w.-]*$/.test(location);
}

/** Where the user said that the password comes from. */
export type PasswordPlace =
  | { readonly kind: "command"; readonly command: string; readonly option: string }
  | { readonly kind: "file"; readonly path: string; readonly option?: string }
  | { readonly kind: "variable"; readonly name: string }
  /** A reference in the configuration, followed when the password is needed. */
  | { readonly kind: "reference"; resolve(): Promise<string> }
  /** The terminal, or the first line of standard input. */
  | { readonly kind: "ask" };

/** Comeback's own variables beat their restic twins, as a whole level each. */
const PREFIXES = ["COMEBACK", "RESTIC"] as const;

/** Which repository is meant: the one of `--repo`, or another one that is read from. */
export type RepositoryRole = "own" | "from";

/** How flags and variables of a role are called. */
const ROLES = {
  own: {
    repo: "repo",
    repositoryFile: "repositoryFile",
    passwordFile: "passwordFile",
    passwordCommand: "passwordCommand",
    option: "--",
    variable: "",
  },
  from: {
    repo: "fromRepo",
    repositoryFile: "fromRepositoryFile",
    passwordFile: "fromPasswordFile",
    passwordCommand: "fromPasswordCommand",
    option: "--from-",
    variable: "FROM_",
  },
} as const;

/** A flag beats the environment. */
export function repositoryPlace(
  flags: OptionValues,
  env: NodeJS.ProcessEnv,
  role: RepositoryRole = "own",
): RepositoryPlace | undefined {
  const names = ROLES[role];
  const levels = [
    { location: flags[names.repo], path: flags[names.repositoryFile] },
    ...PREFIXES.map((prefix) => ({
      location: env[`${prefix}_${names.variable}REPOSITORY`],
      path: env[`${prefix}_${names.variable}REPOSITORY_FILE`],
    })),
  ];
  for (const { location, path } of levels) {
    if (isGiven(location)) return { kind: "location", location };
    if (isGiven(path)) return { kind: "file", path };
  }
  return undefined;
}

/** The hot part of the repository: rustic's name, and its variable where ours is not set. */
export function hotLocation(flags: OptionValues, env: NodeJS.ProcessEnv): string | undefined {
  const given: unknown[] = [flags["repoHot"], env["COMEBACK_REPO_HOT"], env["RUSTIC_REPO_HOT"]];
  return given.find(isGiven);
}

/** Within a level restic's order holds: command, file, the password itself. */
export function passwordPlace(
  flags: OptionValues,
  env: NodeJS.ProcessEnv,
  role: RepositoryRole = "own",
): PasswordPlace {
  const names = ROLES[role];
  const levels = [
    {
      option: `${names.option}password-command`,
      command: flags[names.passwordCommand],
      path: flags[names.passwordFile],
      variable: undefined,
    },
    ...PREFIXES.map((prefix) => `${prefix}_${names.variable}PASSWORD`).map((variable) => ({
      option: `${variable}_COMMAND`,
      command: env[`${variable}_COMMAND`],
      path: env[`${variable}_FILE`],
      variable,
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
