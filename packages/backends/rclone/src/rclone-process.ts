import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { RCLONE_STOP_MS } from "@comeback/core";
import type { Clock } from "@comeback/core";
import { startError } from "./rclone-errors.ts";
import type { EndedRclone } from "./rclone-errors.ts";
import { RcloneMessages } from "./rclone-messages.ts";
import { makeSocketPair } from "./socket-pair.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface RcloneCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly shown: string;
  readonly env: Environment;
  readonly clock: Clock;
}

type Child = ChildProcessByStdio<null, null, Readable>;

/** What is ours, and none of rclone's business. */
const OURS = /^(?:COMEBACK|RESTIC)_.*(?:PASSWORD|SECRET|KEY)/;

/** Without our own secrets, and without a question for a password: nobody would see it. */
export function rcloneEnvironment(given: Environment): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = { RCLONE_ASK_PASSWORD: "false" };
  for (const [name, value] of Object.entries(given)) if (!OURS.test(name)) env[name] = value;
  return env;
}

/** One `rclone serve restic --stdio`, which speaks HTTP/2 on its standard input and output. */
export class RcloneProcess {
  readonly connection: Socket;
  readonly messages: RcloneMessages;
  readonly #command: RcloneCommand;
  readonly #child: Child;
  readonly #closed: Promise<void>;

  private constructor(
    command: RcloneCommand,
    parts: {
      readonly child: Child;
      readonly connection: Socket;
      readonly messages: RcloneMessages;
    },
  ) {
    this.#command = command;
    this.#child = parts.child;
    this.connection = parts.connection;
    this.messages = parts.messages;
    this.#closed = new Promise((resolve) => parts.child.once("close", () => resolve()));
  }

  static async start(command: RcloneCommand): Promise<RcloneProcess> {
    const { program, args } = command;
    const env = rcloneEnvironment(command.env);
    const { ours, theirs } = await makeSocketPair();
    // Its end shows at the calls under way.
    ours.on("error", () => undefined);
    try {
      // In a group of its own: Ctrl-C is for us, and there is a lock to be removed after it.
      const child = spawn(program, args, { env, detached: true, stdio: [theirs, theirs, "pipe"] });
      const messages = new RcloneMessages({ env, args });
      child.stderr.setEncoding("utf8").on("data", (piece: string) => messages.add(piece));
      await once(child, "spawn");
      return new RcloneProcess(command, { child, connection: ours, messages });
    } catch (cause) {
      ours.destroy();
      throw startError(program, cause);
    } finally {
      theirs.destroy();
    }
  }

  /** How it ended, where it has ended or is about to; undefined where it goes on. */
  async ended(): Promise<EndedRclone | undefined> {
    if (!this.#hasEnded && !this.connection.destroyed) return undefined;
    if (!(await this.#endsWithin(RCLONE_STOP_MS))) return undefined;
    const { exitCode, signalCode } = this.#child;
    const { shown } = this.#command;
    const { all, last } = this.messages;
    return { shown, exitCode, signal: signalCode, messages: all, lastMessage: last };
  }

  /** Ends its input, which ends it; after a while it is killed. */
  async stop(): Promise<void> {
    this.connection.destroy();
    if (await this.#endsWithin(RCLONE_STOP_MS)) return;
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #endsWithin(limitMs: number): Promise<boolean> {
    const done = new AbortController();
    const late = this.#command.clock.sleep(limitMs, done.signal).then(
      () => false,
      () => false,
    );
    const isClosed = await Promise.race([this.#closed.then(() => true), late]);
    done.abort();
    return isClosed;
  }
}
