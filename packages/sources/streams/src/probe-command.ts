import type { CommandRunner, Finding } from "@comeback/core";
import { findProgram } from "@comeback/platform";

export interface ProbedCommand {
  /** What it is for: "the command", "`create`". */
  readonly role: string;
  readonly argv: readonly [string, ...string[]];
}

/**
 * Whether the program that a command begins with is there. Of a line for the shell only its first
 * word can be known, and only where that is plain; nothing is run.
 */
export async function probeCommand(
  { role, argv }: ProbedCommand,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<Finding> {
  signal.throwIfAborted();
  const line = shellLine(argv);
  if (line === undefined) {
    const path = findProgram(argv[0]);
    return path === undefined ? missing(role, argv[0]) : there(role, path);
  }
  const word = /^\s*([\w./+@-]+)(?=\s|$|;)/.exec(line)?.[1];
  if (word === undefined) {
    return {
      state: "unknown",
      subject: role,
      message: "is a line for the shell: whether its programs are there shows when it runs",
    };
  }
  const look = [argv[0], "-c", 'command -v -- "$1"', "sh", word] as const;
  const { exitCode, stdout } = await runner.run({ argv: look, signal });
  return exitCode === 0 ? there(role, stdout.trim()) : missing(role, word);
}

function shellLine(argv: readonly string[]): string | undefined {
  const isShell = argv.length === 3 && /\/(?:ba|da|)sh$/.test(argv[0] ?? "") && argv[1] === "-c";
  return isShell ? argv[2] : undefined;
}

function there(subject: string, path: string): Finding {
  return { state: "passed", subject, message: `begins with ${path}, which is there` };
}

function missing(subject: string, program: string): Finding {
  return {
    state: "failed",
    subject,
    message: `begins with ${program}, which is not there or may not be run`,
    next: "install it, or write its whole path",
  };
}
