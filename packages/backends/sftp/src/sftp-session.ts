import {
  SFTP_DATA_DEFAULT_BYTES,
  SFTP_DATA_MAX_BYTES,
  SFTP_END_MAX_MS,
  SFTP_SILENCE_MAX_MS,
  SFTP_START_MAX_MS,
} from "@comeback/core";
import type { Clock, ComebackError } from "@comeback/core";
import { SftpClient } from "./sftp-client.ts";
import { SftpStatusError } from "./sftp-status-error.ts";
import { explainEnd, explainProtocol, explainSilence } from "./ssh-errors.ts";
import { SshProcess } from "./ssh-process.ts";
import type { SshCommand } from "./ssh-command.ts";

const LOOK_EVERY_MS = 5_000;

/** What a session is started with. */
export interface SessionOptions {
  readonly command: SshCommand;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** ssh may ask on the terminal. */
  readonly mayAsk: boolean;
  readonly clock: Clock;
}

/**
 * One ssh process and the SFTP that it carries. It is alive until something fails that says
 * nothing about one file only; then all its calls reject with the same error.
 */
export class SftpSession implements AsyncDisposable {
  readonly client: SftpClient;
  /** Bytes that one request may carry. */
  readBytes: number = SFTP_DATA_DEFAULT_BYTES;
  writeBytes: number = SFTP_DATA_DEFAULT_BYTES;
  /** How long the server takes for an answer, at best. */
  roundTripMs: number = Number.POSITIVE_INFINITY;
  readonly #process: SshProcess;
  readonly #command: SshCommand;
  readonly #unwatched = new AbortController();
  #isReady = false;
  #failure: ComebackError | undefined;
  #seenMoves = 0;
  #silentMs = 0;

  private constructor(options: SessionOptions) {
    this.#command = options.command;
    this.#process = new SshProcess(options.command, options);
    const { stdin, stdout } = this.#process.child;
    this.client = new SftpClient(stdout, stdin);
    this.client.onProtocolError = (error) => this.#fail(explainProtocol(this.#command, error));
    void this.#process.ended.then((end) => {
      this.#fail(explainEnd(this.#command, end, this.#isReady));
    });
    void this.#watch(options.clock, options.mayAsk ? Number.POSITIVE_INFINITY : SFTP_START_MAX_MS);
  }

  static async start(options: SessionOptions, signal: AbortSignal): Promise<SftpSession> {
    signal.throwIfAborted();
    const session = new SftpSession(options);
    const onAbort = (): void => session.#fail(signal.reason as ComebackError);
    signal.addEventListener("abort", onAbort);
    try {
      await session.client.greeted;
      await session.#learn();
      session.#isReady = true;
      return session;
    } catch (error) {
      session.#process.kill();
      throw session.#failure ?? error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /** Ends it at once: its calls reject with this error. */
  kill(error: ComebackError): void {
    this.#fail(error);
  }

  /** ssh ends when its input does; one that hangs is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatched.abort();
    this.#process.child.stdin.end();
    const timer = setTimeout(() => this.#process.kill(), SFTP_END_MAX_MS);
    await this.#process.ended;
    clearTimeout(timer);
  }

  async #learn(): Promise<void> {
    const { client } = this;
    if (client.has("limits@openssh.com")) {
      const { readBytes, writeBytes } = await this.#timed(() => client.limits());
      this.readBytes = withinLimit(readBytes);
      this.writeBytes = withinLimit(writeBytes);
    }
    await this.#timed(() => client.lstat(".")).catch((error: unknown) => {
      if (!(error instanceof SftpStatusError)) throw error;
    });
  }

  async #timed<T>(request: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    try {
      return await request();
    } finally {
      this.roundTripMs = Math.min(this.roundTripMs, performance.now() - startMs);
    }
  }

  #fail(error: ComebackError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#unwatched.abort();
    this.#process.kill();
    this.client.fail(error);
  }

  /** The time that is counted is that between two looks: a machine that slept has not waited. */
  async #watch(clock: Clock, startMaxMs: number): Promise<void> {
    const { signal } = this.#unwatched;
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
      if (!signal.aborted) this.#look(startMaxMs);
    }
  }

  #look(startMaxMs: number): void {
    const { client } = this;
    const isWaiting = !this.#isReady || client.isWaiting;
    this.#silentMs = isWaiting && client.moves === this.#seenMoves ? this.#silentMs : 0;
    this.#seenMoves = client.moves;
    this.#silentMs += LOOK_EVERY_MS;
    const limitMs = this.#isReady ? SFTP_SILENCE_MAX_MS : startMaxMs;
    if (this.#silentMs > limitMs) this.#fail(explainSilence(this.#command, this.#silentMs));
  }
}

function withinLimit(bytes: number): number {
  if (bytes === 0) return SFTP_DATA_DEFAULT_BYTES;
  return Math.max(1, Math.min(bytes, SFTP_DATA_MAX_BYTES));
}
