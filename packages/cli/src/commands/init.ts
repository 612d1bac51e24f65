import type { CommandContext } from "../context.ts";
import { repositoryLocation } from "../opening/find-backend.ts";
import { type MadeRepository, makeRepository } from "../opening/make-repository.ts";
import { prepareCommandStorage } from "../opening/open-backend.ts";
import { redactLocation } from "../opening/redact-location.ts";
import { readPassword } from "../opening/read-password.ts";
import { openSession } from "../opening/session.ts";
import { addFromOptions, fromContext, type FromFlags } from "../options/from-repository.ts";
import { badUsage, badValue } from "../options/option-error.ts";
import type { CommandModule } from "../program.ts";
import { printableText } from "../terminal/printable.ts";

interface InitFlags extends FromFlags {
  readonly copyChunkerParams?: true;
  readonly repositoryVersion: string;
}

export const define: CommandModule["define"] = (command, run) => {
  addFromOptions(
    command
      .description(
        "Make a new repository.\n\n" +
          "Everything in it is encrypted. Without the password nobody can read it again, you\n" +
          "included: keep a copy of the password in another safe place.",
      )
      .option("--repository-version <version>", "format version: 1, 2, stable or latest", "stable")
      .option("--copy-chunker-params", "cut files where --from-repo does, for `comeback copy`"),
  ).action(
    run<InitFlags>(async (context, flags) => {
      const version = parseVersion(flags.repositoryVersion);
      const location = await repositoryLocation(context.globals);
      // Before a password is asked for, the place has to be one that can hold a repository.
      await prepareCommandStorage(context, location);
      const { hotRepository } = context.globals;
      if (hotRepository !== undefined) await prepareCommandStorage(context, hotRepository);
      const chunkerPolynomial = await chunkerToCopy(context, flags);
      const password = await readPassword(context, {
        isNew: true,
        // The first line of a redirected standard input is one password, not two.
        stdinIsTaken: chunkerPolynomial !== undefined && !process.stdin.isTTY,
      });
      const wish = { location, password, version };
      const made = await makeRepository(context, {
        ...wish,
        ...(chunkerPolynomial === undefined ? {} : { chunkerPolynomial }),
      });
      report(context, location, made);
      return 0;
    }),
  );
};

/** Two repositories that cut files at the same places recognise each other's contents. */
async function chunkerToCopy(
  context: CommandContext,
  flags: InitFlags,
): Promise<bigint | undefined> {
  const from = await fromContext(context, flags);
  if (flags.copyChunkerParams !== true) {
    if (flags.fromRepo === undefined && flags.fromRepositoryFile === undefined) return undefined;
    throw badUsage("--from-repo is of use only with --copy-chunker-params", "add it");
  }
  if (from === undefined) {
    const next = "name one with --from-repo PATH or --from-repository-file FILE";
    throw badUsage("--copy-chunker-params needs a repository to copy them from", next);
  }
  await using session = await openSession(from, {
    lock: "none",
    prompt: "enter password for the source repository: ",
  });
  return session.repository.config.chunkerPolynomial;
}

function parseVersion(text: string): 1 | 2 {
  if (text === "1") return 1;
  if (text === "2" || text === "stable" || text === "latest") return 2;
  throw badValue("--repository-version", text, "1, 2, stable or latest");
}

function report(
  { globals, terminal }: CommandContext,
  asGiven: string,
  { id, location }: MadeRepository,
): void {
  if (globals.json) {
    const message = { message_type: "initialized", id, repository: redactLocation(asGiven) };
    terminal.print(JSON.stringify(message));
  } else if (!globals.quiet) {
    terminal.print(
      `created repository ${id.slice(0, 10)} at ${printableText(location)}\n\n` +
        "The password is the only key to it: whoever has it can read everything, and\n" +
        "without it nobody can, you included. Keep a copy of it in another safe place.",
    );
  }
}
