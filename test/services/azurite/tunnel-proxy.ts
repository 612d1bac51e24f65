import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * An HTTP proxy that leads every tunnel to one port of this machine: so a program that knows none
 * but a cloud's own host names reaches a server here, over TLS from end to end.
 */
export class TunnelProxy implements AsyncDisposable {
  /** `host:port` of each tunnel that was asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #sockets: Set<Duplex> = new Set();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(targetPort: number): Promise<TunnelProxy> {
    const server = createServer();
    const proxy = new TunnelProxy(server);
    server.on("connect", (request: IncomingMessage, client: Duplex) => {
      proxy.asked.push(request.url ?? "");
      const target: Socket = connect(targetPort, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        target.pipe(client).pipe(target);
      });
      for (const [one, other] of [
        [client, target],
        [target, client],
      ] as const) {
        proxy.#sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          other.destroy();
          proxy.#sockets.delete(one);
        });
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
