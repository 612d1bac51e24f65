import { ComebackError } from "@comeback/core";
import { systemClock, systemRandom } from "@comeback/platform";
import { Interrupt } from "./interrupt.ts";
import { exactArguments } from "./options/argument-bytes.ts";
import { runProgram } from "./program.ts";
import { exitErrorMessage, mainError, renderError, renderStack, reportOf } from "./render-error.ts";
import { isSystemError } from "./system-error.ts";
import { Terminal } from "./terminal/terminal.ts";

/** What a shell sees of a program that a closed pipe ended (128 + SIGPIPE). */
const EXIT_BROKEN_PIPE = 141;
/** Time to release what is held after an error that nobody foresaw. */
const UNWIND_MAX_MS = 5_000;

/** Runs the command line of this process to its exit code; everything is released by then. */
export async function run(): Promise<number> {
  const { stdout, stderr, env } = process;
  const terminal = new Terminal({ stdout, stderr, env });
  using interrupt = new Interrupt(terminal);
  using output = new OutputWatch(interrupt);
  using _unforeseen = failOnUnforeseen(interrupt);
  const args = exactArguments(process.argv.slice(2));
  const { signal } = interrupt;
  try {
    const context = { env, terminal, signal, clock: systemClock, random: systemRandom };
    const exitCode = await runProgram(args, context);
    await output.finish();
    return exitCode;
  } catch (error) {
    if (output.isReaderGone) return EXIT_BROKEN_PIPE;
    // Whatever an abort made fail, the abort is what happened.
    const thrown = signal.aborted ? signal.reason : mainError(error);
    return showError(terminal, args, thrown, error);
  } finally {
    terminal.clearStatus();
  }
}

/** Notices what cannot be written any more: a result that got lost is no success. */
class OutputWatch implements Disposable {
  readonly #interrupt: Interrupt;
  readonly #listener = (cause: Error): void => this.#onError(cause);
  #failure: ComebackError | undefined;
  /** Whoever read our output has gone (`comeback ls latest | head`). */
  isReaderGone = false;

  constructor(interrupt: Interrupt) {
    this.#interrupt = interrupt;
    process.stdout.on("error", this.#listener);
    process.stderr.on("error", this.#listener);
  }

  /** Resolves once everything is written, or rejects where it could not be. */
  async finish(): Promise<void> {
    // A failed write is told in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#failure === undefined && process.stdout.writableLength > 0) {
      await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  [Symbol.dispose](): void {
    process.stdout.off("error", this.#listener);
    process.stderr.off("error", this.#listener);
    // What fails from now on has nobody left to tell.
    process.stdout.on("error", () => {});
    process.stderr.on("error", () => {});
  }

  #onError(cause: Error): void {
    this.isReaderGone ||= isSystemError(cause, "EPIPE");
    const what = "the output could not be written";
    this.#failure ??= new ComebackError("platform.system-call", what, { cause });
    this.#interrupt.fail(this.#failure);
  }
}

/** An error that nobody waited for unwinds everything, as Ctrl-C does, and is shown at the end. */
function failOnUnforeseen(interrupt: Interrupt): Disposable {
  const onError = (error: unknown): void => {
    interrupt.fail(error);
    // Whatever does not listen to the signal must not keep the process alive for ever.
    setTimeout(() => process.exit(1), UNWIND_MAX_MS).unref();
  };
  process.on("uncaughtException", onError);
  return { [Symbol.dispose]: () => process.off("uncaughtException", onError) };
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
