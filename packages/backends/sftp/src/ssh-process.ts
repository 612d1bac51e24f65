import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { SFTP_STDERR_MAX_BYTES } from "@comeback/core";
import { argumentsOf } from "./ssh-command.ts";
import type { SshCommand } from "./ssh-command.ts";

/** How an ssh process ended, and what it had said by then. */
export interface SshEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/**
 * Ctrl-C in a terminal reaches every process that runs in it, and `systemctl stop` every one of
 * the service. ssh has to live on, or an interrupted backup could not remove its lock any more.
 * Ignored signals stay ignored over `exec`, and ssh leaves them so; it ends when its input does.
 */
const IGNORE_SIGNALS = `trap "" HUP INT QUIT TERM; exec "$@"`;

/**
 * A helper of ssh (for a jump host, or a shared connection that stays: `ControlPersist`) may hold
 * its standard error open when it is gone. It must not keep our own process from ending.
 */
const LAST_WORDS_MS = 500;

/** A running ssh. `ended` resolves once it is gone, and never rejects. */
export class SshProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<SshEnd>;
  #stderr = "";

  constructor(
    command: SshCommand,
    options: {
      readonly mayAsk: boolean;
      readonly env: Readonly<Record<string, string | undefined>>;
    },
  ) {
    const words = [command.program, ...argumentsOf(command, options.mayAsk)];
    this.child = spawn("/bin/sh", ["-c", IGNORE_SIGNALS, "sh", ...words], {
      env: options.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.child;
    // What cannot be written or read any more is told by the end of the process.
    for (const stream of [stdin, stdout, stderr]) stream.on("error", () => undefined);
    stderr.on("data", (chunk: Buffer) => this.#note(chunk));
    this.ended = this.#end();
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(): void {
    this.child.kill("SIGKILL");
    // A helper that inherited our end would keep it open.
    this.child.stdin.destroy();
    this.child.stdout.destroy();
  }

  #note(chunk: Buffer): void {
    this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-SFTP_STDERR_MAX_BYTES);
  }

  #end(): Promise<SshEnd> {
    const { promise, resolve } = Promise.withResolvers<SshEnd>();
    const { child } = this;
    child.on("error", (error) => {
      resolve({ exitCode: null, signal: null, stderr: error.message });
    });
    const settle = (exitCode: number | null, signal: NodeJS.Signals | null): void => {
      resolve({ exitCode, signal, stderr: this.#stderr });
    };
    child.on("close", settle);
    child.on("exit", (exitCode, signal) => {
      const timer = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        settle(exitCode, signal);
      }, LAST_WORDS_MS);
      child.on("close", () => clearTimeout(timer));
    });
    return promise;
  }
}
