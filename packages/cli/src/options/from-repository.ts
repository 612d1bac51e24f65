import type { Command } from "commander";
import type { CommandContext } from "../context.ts";
import { badUsage } from "./option-error.ts";
import { passwordPlace, repositoryPlace } from "./places.ts";

/** Flags for a second repository that something is taken from; restic's names. */
export interface FromFlags {
  readonly fromRepo?: string;
  readonly fromRepositoryFile?: string;
  readonly fromPasswordFile?: string;
  readonly fromPasswordCommand?: string;
}

export function addFromOptions(command: Command): Command {
  return command
    .option("--from-repo <repository>", "the repository to take it from")
    .option("--from-repository-file <file>", "file that holds its location")
    .option("--from-password-file <file>", "file that holds its password")
    .option("--from-password-command <command>", "command that prints its password");
}

/**
 * The context with the other repository in the place of `--repo`; none where none is given. It may be
 * a destination's name, as behind `--repo`.
 */
export async function fromContext(
  context: CommandContext,
  flags: FromFlags,
): Promise<CommandContext | undefined> {
  const outer = context.outer ?? context;
  const { env, globals } = outer;
  if (flags.fromRepo !== undefined && flags.fromRepositoryFile !== undefined) {
    throw twoAnswers("--from-repo", "--from-repository-file");
  }
  if (flags.fromPasswordFile !== undefined && flags.fromPasswordCommand !== undefined) {
    throw twoAnswers("--from-password-file", "--from-password-command");
  }
  const values = { ...flags };
  const repository = repositoryPlace(values, env, "from");
  if (repository === undefined) return undefined;
  const password = passwordPlace(values, env, "from");
  const named =
    repository.kind === "location"
      ? await context.destinationNamed?.(repository.location)
      : undefined;
  if (named === undefined) {
    return { ...outer, globals: { ...globals, repository, hotRepository: undefined, password } };
  }
  const isGiven = (flags.fromPasswordFile ?? flags.fromPasswordCommand) !== undefined;
  return isGiven ? { ...named, globals: { ...named.globals, password } } : named;
}

function twoAnswers(a: string, b: string): Error {
  return badUsage(`${a} and ${b} are two answers to one question`, "leave one of them out");
}
