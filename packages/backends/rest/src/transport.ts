import type { Readable } from "node:stream";
import type { TransferPace } from "@comeback/core";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  /** Path and query, encoded. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Asked before each part of the body. */
  readonly pace?: TransferPace | undefined;
  /** Cuts the connection, or this call's part of it. */
  readonly signal: AbortSignal;
  /**
   * Ends the body short. A server that is still there then answers once it has cleaned up, while
   * after a cut nobody would know what it goes on to do with the part it has.
   */
  readonly breakOff?: AbortSignal | undefined;
  /** Called once connected, and whenever bytes have moved. */
  onProgress(): void;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** Has to be read to its end, or destroyed. */
  readonly body: Readable;
}

/**
 * How a request gets to a server and its answer back. Rejects with what Node says of the
 * connection, or with the signal's reason; redirects are answers like others. Once a call has
 * settled, its body is not used any more.
 */
export interface HttpTransport extends AsyncDisposable {
  request(request: HttpRequest): Promise<HttpAnswer>;
}
