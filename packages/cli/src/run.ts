import { systemClock, systemRandom } from "@comeback/platform";
import { Interrupt } from "./interrupt.ts";
import { exactArguments } from "./options/argument-bytes.ts";
import { runProgram } from "./program.ts";
import { exitErrorMessage, mainError, renderError, renderStack, reportOf } from "./render-error.ts";
import { isSystemError } from "./system-error.ts";
import { Terminal } from "./terminal/terminal.ts";

/** What a shell sees of a program that a closed pipe ended (128 + SIGPIPE). */
const EXIT_BROKEN_PIPE = 141;

/** Runs the command line of this process to its exit code; everything is released by then. */
export async function run(): Promise<number> {
  const { stdout, stderr, env } = process;
  const terminal = new Terminal({ stdout, stderr, env });
  using interrupt = new Interrupt(terminal);
  let pipeIsClosed = false;
  const onOutputError = (error: Error): void => {
    // Whoever read our output has gone (`comeback ls latest | head`): stop, and say nothing.
    pipeIsClosed ||= isSystemError(error, "EPIPE");
    interrupt.abort(`the output could not be written: ${error.message}`);
  };
  stdout.on("error", onOutputError);
  stderr.on("error", onOutputError);
  const args = exactArguments(process.argv.slice(2));
  try {
    const context = {
      env,
      terminal,
      signal: interrupt.signal,
      clock: systemClock,
      random: systemRandom,
    };
    const exitCode = await runProgram(args, context);
    return pipeIsClosed ? EXIT_BROKEN_PIPE : exitCode;
  } catch (error) {
    if (pipeIsClosed) return EXIT_BROKEN_PIPE;
    // Whatever an abort made fail, the abort is what happened.
    const thrown = interrupt.signal.aborted ? interrupt.signal.reason : mainError(error);
    return showError(terminal, args, thrown, error);
  } finally {
    terminal.clearStatus();
  }
}

function showError(
  terminal: Terminal,
  args: readonly string[],
  thrown: unknown,
  original: unknown,
): number {
  terminal.clearStatus();
  const report = reportOf(thrown);
  // The command line may be what is wrong: whether it asks for JSON is seen without parsing it.
  const json = args.includes("--json");
  terminal.printError(
    json ? exitErrorMessage(report) : renderError(report, terminal.errorPalette, terminal.columns),
  );
  if (process.env["COMEBACK_DEBUG"] === "1") terminal.printError(renderStack(original));
  return report.exitCode;
}
