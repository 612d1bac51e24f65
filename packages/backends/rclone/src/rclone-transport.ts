import { Http2Transport } from "@comeback/backend-rest";
import type { HttpAnswer, HttpRequest, HttpTransport } from "@comeback/backend-rest";
import { endedError } from "./rclone-errors.ts";
import { RcloneProcess } from "./rclone-process.ts";
import type { RcloneCommand } from "./rclone-process.ts";

/** Calls to an rclone of our own; one that has died is started again by the next call. */
export class RcloneTransport implements HttpTransport {
  readonly #http: Http2Transport;
  #process: RcloneProcess | undefined;

  constructor(command: RcloneCommand) {
    this.#http = new Http2Transport({
      authority: "http://localhost",
      connect: async (signal) => {
        await this.#process?.stop();
        signal.throwIfAborted();
        this.#process = await RcloneProcess.start(command);
        return this.#process.connection;
      },
    });
  }

  /** What rclone said last, to explain a failure that HTTP only gives a number to. */
  get lastMessage(): string | undefined {
    return this.#process?.messages.last;
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#http.request(request);
    } catch (error) {
      if (request.signal.aborted) throw error;
      const ended = await this.#process?.ended();
      throw ended === undefined ? error : endedError(ended, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]();
    await this.#process?.stop();
  }
}
