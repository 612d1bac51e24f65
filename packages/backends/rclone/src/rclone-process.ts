import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { Duplex } from "node:stream";
import type { Readable, Writable } from "node:stream";
import { RCLONE_STOP_MS } from "@comeback/core";
import type { Clock } from "@comeback/core";
import { startError } from "./rclone-errors.ts";
import type { EndedRclone } from "./rclone-errors.ts";
import { RcloneMessages } from "./rclone-messages.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface RcloneCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly shown: string;
  readonly env: Environment;
  readonly clock: Clock;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** What is ours, and none of rclone's business. */
const OURS = /^(?:COMEBACK|RESTIC)_.*(?:PASSWORD|SECRET|KEY)/;

/** One `rclone serve restic --stdio`, which speaks HTTP/2 on its standard input and output. */
export class RcloneProcess {
  readonly connection: Duplex;
  readonly messages: RcloneMessages;
  readonly #command: RcloneCommand;
  readonly #child: Child;
  readonly #closed: Promise<unknown>;

  private constructor(command: RcloneCommand, child: Child, messages: RcloneMessages) {
    this.#command = command;
    this.#child = child;
    this.messages = messages;
    this.#closed = new Promise((resolve) => child.once("close", resolve));
    // Node takes such a pair of its own streams too; its types know only the web's.
    const pair = { readable: child.stdout, writable: child.stdin } as unknown;
    this.connection = Duplex.from(pair as Parameters<typeof Duplex.from>[0]);
    // Its end shows at the calls under way.
    this.connection.on("error", () => undefined);
  }

  static async start(command: RcloneCommand): Promise<RcloneProcess> {
    const { program, args } = command;
    // Without a question for a password, which would come here as if it were HTTP.
    const env: Record<string, string | undefined> = { RCLONE_ASK_PASSWORD: "false" };
    for (const [name, value] of Object.entries(command.env)) {
      if (!OURS.test(name)) env[name] = value;
    }
    // In a group of its own: Ctrl-C is for us, and there is a lock to be removed after it.
    const child = spawn(program, args, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      stream.on("error", () => undefined);
    }
    const messages = new RcloneMessages(env);
    child.stderr.setEncoding("utf8").on("data", (piece: string) => messages.add(piece));
    try {
      await once(child, "spawn");
    } catch (cause) {
      throw startError(program, cause);
    }
    return new RcloneProcess(command, child, messages);
  }

  /** How it ended, where it has ended or is about to; undefined where it goes on. */
  async ended(): Promise<EndedRclone | undefined> {
    const { stdout } = this.#child;
    if (!this.#hasEnded && !stdout.readableEnded && !stdout.destroyed) return undefined;
    await this.#endsWithin(RCLONE_STOP_MS);
    const { exitCode, signalCode } = this.#child;
    const { program, shown } = this.#command;
    const { all, last } = this.messages;
    return { program, shown, exitCode, signal: signalCode, messages: all, lastMessage: last };
  }

  /** Closes its input, which ends it; after a while it is killed. */
  async stop(): Promise<void> {
    this.#child.stdin.destroy();
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
