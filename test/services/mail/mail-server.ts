import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePorts } from "../../drivers/free-ports.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import type { Certificate } from "../rclone/certificates.ts";

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string;
  readonly tls: boolean;
  readonly user: string | null;
}

export interface MailServerOptions {
  /** TLS from the first byte, or by STARTTLS, without which it takes nothing. */
  readonly tls?: "implicit" | "starttls";
  readonly certificate?: Certificate;
  /** Who may send; anybody if not given. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** A mail server of a test's own (aiosmtpd), which ends with it. */
export class MailServer implements AsyncDisposable {
  readonly port: number;
  readonly taken: TakenMail[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #waiting = 0;
  #isListening = false;

  private constructor(port: number, { tls, certificate, login }: MailServerOptions) {
    this.port = port;
    const settings = {
      port,
      implicit: tls === "implicit",
      starttls: tls === "starttls",
      certificate: certificate?.certificate,
      key: certificate?.key,
      ...login,
    };
    const program = join(import.meta.dirname, "mail-server.py");
    // Debian's own Python: another one does not have its packages.
    const args = ["-W", "ignore", program, JSON.stringify(settings)];
    this.#child = spawn("/usr/bin/python3", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = once(this.#child, "close");
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const said = JSON.parse(line) as TakenMail | { port: number } | { waits: true };
      if ("port" in said) this.#isListening = true;
      else if ("waits" in said) this.#waiting++;
      else this.taken.push(said);
    });
  }

  static async start(options: MailServerOptions = {}): Promise<MailServer> {
    const [port] = await freePorts(1);
    const server = new MailServer(port!, options);
    await waitUntil("the mail server listens", () => {
      if (server.#child.exitCode !== null) throw new Error("the mail server has ended");
      return Promise.resolve(server.#isListening);
    });
    return server;
  }

  /** What it does with the next message: "busy", "broken", "refusing", "silent". */
  next(does: string): void {
    this.#child.stdin!.write(`${does}\n`);
  }

  /** Resolves when a message waits for an answer that does not come. */
  async arrival(): Promise<void> {
    const before = this.#waiting;
    await waitUntil("a message waits", () => Promise.resolve(this.#waiting > before));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A message that waits for ever would be waited for.
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
