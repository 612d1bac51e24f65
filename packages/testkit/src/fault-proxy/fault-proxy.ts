import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { type ByteFaults, type Direction, FaultyPipe } from "./byte-faults.ts";

/** The server that a proxy stands before; on this machine where no host is named. */
export interface ProxyTarget {
  readonly port: number;
  readonly host?: string;
}

/** What happens to one connection. */
export interface ConnectionFaults {
  readonly up?: ByteFaults;
  readonly down?: ByteFaults;
  /** It is taken, and gone at once: as with a server that is just starting. */
  readonly refuse?: true;
}

interface Carried {
  readonly client: Socket;
  readonly server: Socket;
  readonly pipes: Readonly<Record<Direction, FaultyPipe>>;
}

/**
 * Stands between a client and a server on this machine and does to their connections what networks
 * do: to those that a test names, in the order in which they are made, or to all.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #staged: Map<number, ConnectionFaults> = new Map();
  readonly #carried: Carried[] = [];
  readonly #open: Set<Socket> = new Set();
  #usual: () => ConnectionFaults = () => ({});
  #made = 0;

  private constructor({ port, host = "127.0.0.1" }: ProxyTarget) {
    this.#target = { host, port };
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#carry(client));
  }

  /** On a free port of the loopback interface. */
  static async start(target: ProxyTarget): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that were made so far. */
  get connectionsMade(): number {
    return this.#made;
  }

  /** Connections that are open now. */
  get connectionsOpen(): number {
    return this.#carried.filter(({ client }) => this.#open.has(client)).length;
  }

  /** Faults for the next connection, or for one of those after it: 1 is the next. */
  stage(faults: ConnectionFaults, which = 1): this {
    this.#staged.set(this.#made + which, faults);
    return this;
  }

  /** Faults for every connection that none were staged for; none where nothing is given. */
  always(faults: ConnectionFaults = {}): this {
    return this.usually(() => faults);
  }

  /** The same, chosen anew for each. */
  usually(choose: () => ConnectionFaults): this {
    this.#usual = choose;
    return this;
  }

  /** Every open connection is gone, now. */
  cutAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Bytes that went through all connections. */
  passedBytes(direction: Direction): number {
    return this.#carried.reduce((sum, { pipes }) => sum + pipes[direction].passedBytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(client: Socket): void {
    const number = ++this.#made;
    const { up = {}, down = {}, refuse } = this.#staged.get(number) ?? this.#usual();
    this.#watch(client);
    if (refuse === true) {
      client.destroy();
      return;
    }
    const server = connect({ ...this.#target, allowHalfOpen: true });
    this.#watch(server);
    const pipes = {
      up: new FaultyPipe(client, server, up),
      down: new FaultyPipe(server, client, down),
    };
    this.#carried.push({ client, server, pipes });
  }

  #watch(socket: Socket): void {
    this.#open.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => this.#open.delete(socket));
    // Whatever goes wrong with one end, its pipe tells the other.
    socket.on("error", () => {});
  }
}
