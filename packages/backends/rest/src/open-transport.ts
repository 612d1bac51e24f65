import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { Http1Transport } from "./http1-transport.ts";
import type { ServerPlace, TlsOptions } from "./http1-transport.ts";
import { Http2Transport } from "./http2-transport.ts";
import type { HttpRequest, HttpAnswer, HttpTransport } from "./transport.ts";

/** The way to a server: HTTP/1.1, or HTTP/2 where it is wanted and the server offers it. */
export function openTransport(
  place: ServerPlace,
  options: { readonly tls: TlsOptions; readonly wantsHttp2: boolean },
): HttpTransport {
  const { tls, wantsHttp2 } = options;
  return wantsHttp2 && place.isTls
    ? new NegotiatedTransport(place, tls)
    : new Http1Transport(place, tls);
}

/** The server speaks no HTTP/2. */
class OnlyHttp1 extends Error {}

/** Asks for HTTP/2 at the first connection, and goes back to HTTP/1.1 where there is none. */
class NegotiatedTransport implements HttpTransport {
  readonly #place: ServerPlace;
  readonly #tls: TlsOptions;
  #transport: HttpTransport;

  constructor(place: ServerPlace, tls: TlsOptions) {
    this.#place = place;
    this.#tls = tls;
    const { hostname, port } = place;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    this.#transport = new Http2Transport({
      authority: `https://${host}:${port}`,
      connect: (signal) => connectHttp2(place, tls, signal),
    });
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    const transport = this.#transport;
    try {
      return await transport.request(request);
    } catch (error) {
      if (!(error instanceof OnlyHttp1)) throw error;
      if (this.#transport === transport) {
        this.#transport = new Http1Transport(this.#place, this.#tls);
      }
      return await this.#transport.request(request);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

function connectHttp2(
  place: ServerPlace,
  tls: TlsOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { hostname, port } = place;
  // An address is no name that a server could be asked for.
  const named = /^[\d.]+$|:/.test(hostname) ? {} : { servername: hostname };
  const socket = connect({
    ...tls,
    ...named,
    host: hostname,
    port,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  return new Promise((resolve, reject) => {
    const cut = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener("abort", cut, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", cut));
    socket.on("error", reject);
    socket.once("secureConnect", () => {
      if (socket.alpnProtocol === "h2") return resolve(socket);
      socket.destroy();
      reject(new OnlyHttp1("the server speaks no HTTP/2"));
    });
  });
}
