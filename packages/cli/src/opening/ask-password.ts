import { ComebackError } from "@comeback/core";
import type { CommandContext } from "../context.ts";
import { interrupted } from "../interrupt.ts";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_U = "\u0015";
const CTRL_Z = "\u001a";
const PASSWORD_MAX_CHARACTERS = 64 * 1024;

/** From the terminal without showing it, or the first line of a redirected standard input. */
export async function askPassword(
  context: CommandContext,
  wish: { readonly isNew: boolean; readonly prompt?: string },
): Promise<string> {
  const { stdin } = process;
  const { isNew, prompt = "enter password for the repository: " } = wish;
  if (!stdin.isTTY) return firstLine(stdin, context.signal);
  const password = await askOnTerminal(prompt, context);
  if (!isNew) return password;
  const again = await askOnTerminal("enter the password again: ", context);
  if (password === again) return password;
  throw new ComebackError("option.invalid", "the two passwords are not the same", {
    next: "try again",
  });
}

async function firstLine(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  let text = "";
  stdin.setEncoding("utf8");
  const onAbort = (): void => void stdin.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for await (const chunk of stdin) {
      text += chunk as string;
      if (text.includes("\n") || text.length > PASSWORD_MAX_CHARACTERS) break;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  signal.throwIfAborted();
  const line = text.split("\n", 1)[0] ?? "";
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** Raw mode: nothing is echoed, and Ctrl-C comes in as a character. */
function askOnTerminal(prompt: string, context: CommandContext): Promise<string> {
  const { stdin } = process;
  const { terminal, signal } = context;
  return new Promise((resolve, reject) => {
    const typed: string[] = [];
    const finish = (settle: () => void): void => {
      stdin.off("data", onData);
      signal.removeEventListener("abort", onAbort);
      stdin.setRawMode(false);
      stdin.pause();
      terminal.printErrorRaw("\n");
      settle();
    };
    const onAbort = (): void => finish(() => reject(signal.reason));
    const onData = (chunk: Buffer): void => {
      for (const character of chunk.toString("utf8")) {
        if (character === CTRL_C || character === CTRL_Z) {
          return finish(() => reject(interrupted("Ctrl-C was pressed")));
        }
        if (character === "\r" || character === "\n" || character === CTRL_D) {
          return finish(() => resolve(typed.join("")));
        }
        if (character === "\u007f" || character === "\b") typed.pop();
        else if (character === CTRL_U) typed.length = 0;
        else typed.push(character);
      }
    };
    // First no echo, then the question: an answer may come at once.
    stdin.setRawMode(true);
    terminal.printErrorRaw(prompt);
    stdin.on("data", onData);
    // The question before this one has paused it.
    stdin.resume();
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
