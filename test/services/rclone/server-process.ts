import { connect } from "node:net";
import { type Running, startProgram } from "../../drivers/run-program.ts";
import { waitUntil } from "../../drivers/wait-until.ts";

/** A server program of a test's own, which ends with it. */
export class ServerProcess implements AsyncDisposable {
  readonly #running: Running;

  private constructor(running: Running) {
    this.#running = running;
  }

  /** Starts it, and waits until it listens. */
  static async start(options: {
    readonly command: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly listens: { readonly port: number } | { readonly path: string };
  }): Promise<ServerProcess> {
    const { command, args, env = {}, listens } = options;
    const running = startProgram(command, args, { env, mayRunOn: true });
    const state = { ended: "" };
    void running.finished.then((finished) => {
      state.ended = finished.describe();
    });
    await waitUntil(`${command} listens`, async () => {
      if (state.ended !== "") throw new Error(`the server has ended: ${state.ended}`);
      return await accepts(listens);
    });
    return new ServerProcess(running);
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    this.#running.child.kill("SIGKILL");
    await this.#running.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function accepts(place: { readonly port: number } | { readonly path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = "port" in place ? connect(place.port, "127.0.0.1") : connect(place.path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
