import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { COMMAND_STOP_MS, ComebackError, messageOf } from "@comeback/core";

export type CommandOutputOptions = {
  readonly command: readonly string[];
  readonly onErrorLine?: ((line: string) => void) | undefined;
  readonly signal: AbortSignal;
};

/**
 * Runs a command and yields its standard output. Ends only once the command has ended well;
 * otherwise rejects with `command.failed`. The command is stopped where nobody reads on.
 */
export async function* commandOutput(options: CommandOutputOptions): AsyncGenerator<Uint8Array> {
  const { onErrorLine, signal } = options;
  const [program = "", ...args] = options.command;
  signal.throwIfAborted();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", onErrorLine === undefined ? "inherit" : "pipe"],
  });
  const ended = endOf(child, program);
  // Looked at below; until then nobody may take it for unhandled.
  ended.catch(() => undefined);
  if (child.stderr !== null && onErrorLine !== undefined) {
    createInterface({ input: child.stderr }).on("line", onErrorLine);
  }
  const onAbort = (): void => stop(child);
  signal.addEventListener("abort", onAbort);
  try {
    for await (const chunk of child.stdout!) yield chunk as Buffer;
    signal.throwIfAborted();
    await ended;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop(child);
    await ended.catch(() => undefined);
  }
}

function endOf(child: ChildProcess, program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      reject(
        new ComebackError("command.failed", `cannot run ${program}`, {
          why: messageOf(error),
          next: "check that the program is installed; no snapshot was made",
          cause: error,
        }),
      );
    });
    child.once("close", (code, killedBy) => {
      if (code === 0) {
        resolve();
        return;
      }
      const how = killedBy === null ? `exit code ${String(code)}` : `killed by ${killedBy}`;
      reject(
        new ComebackError("command.failed", `${program} failed`, {
          why: how,
          next: "look at what it wrote to standard error; no snapshot was made",
        }),
      );
    });
  });
}

/** Asks a command to end, and ends it where it does not. */
function stop(child: ChildProcess): void {
  // A grandchild may hold the other ends open; nobody waits for that.
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_STOP_MS);
  child.once("close", () => clearTimeout(timer));
}
