import type { CommandContext } from "../context.ts";
import { findBackend, repositoryLocation } from "../opening/find-backend.ts";
import { type MadeRepository, makeRepository } from "../opening/make-repository.ts";
import { readPassword } from "../opening/read-password.ts";
import { badValue } from "../options/option-error.ts";
import type { CommandModule } from "../program.ts";
import { printableText } from "../terminal/printable.ts";

interface InitFlags {
  readonly repositoryVersion: string;
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(
      "Make a new repository.\n\n" +
        "Everything in it is encrypted. Without the password nobody can read it again, you\n" +
        "included: keep a copy of the password in another safe place.",
    )
    .option("--repository-version <version>", "format version: 1, 2, stable or latest", "stable")
    .action(
      run<InitFlags>(async (context, flags) => {
        const version = parseVersion(flags.repositoryVersion);
        const location = await repositoryLocation(context.globals);
        // Before a password is asked for, the place has to be one that can hold a repository.
        await findBackend(location);
        const password = await readPassword(context, { isNew: true });
        report(context, location, await makeRepository(context, { location, password, version }));
        return 0;
      }),
    );
};

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
    const message = { message_type: "initialized", id, repository: asGiven };
    terminal.print(JSON.stringify(message));
  } else if (!globals.quiet) {
    terminal.print(
      `created repository ${id.slice(0, 10)} at ${printableText(location)}\n\n` +
        "The password is the only key to it: whoever has it can read everything, and\n" +
        "without it nobody can, you included. Keep a copy of it in another safe place.",
    );
  }
}
