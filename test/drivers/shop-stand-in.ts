import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { after } from "node:test";
import pg from "pg";
import { makeFolder } from "./scratch.ts";
import { waitUntil } from "./wait-until.ts";

export interface ShopOptions {
  readonly folder: string;
  readonly databaseUrl: string;
  /** One line for each thing that happens. */
  readonly logPath: string;
  /** Called while it is at rest, with the number of orders that it has then. */
  onRest(orders: number): void;
}

/**
 * A stand-in for a service that keeps its orders in files and in PostgreSQL, a new one all the time. Each is
 * a file of its own, a line that is added to a file, a file that is overwritten, and a row.
 * `POST /maintenance/on` answers once nothing is written any more.
 */
export class ShopStandIn implements AsyncDisposable {
  readonly #options: ShopOptions;
  readonly #client: pg.Client;
  readonly #server: Server;
  readonly #orders: string;
  #count = 0;
  #isWanted = false;
  #working: Promise<void> = Promise.resolve();

  private constructor(options: ShopOptions) {
    this.#options = options;
    this.#orders = makeFolder(options.folder, "orders");
    this.#client = new pg.Client({ connectionString: options.databaseUrl });
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(options: ShopOptions): Promise<ShopStandIn> {
    const shop = new ShopStandIn(options);
    // Where a test failed, its folder and its database are gone by then.
    after(() => shop[Symbol.asyncDispose]().catch(() => undefined));
    shop.#client.on("error", () => undefined);
    await shop.#client.connect();
    await shop.#client.query("CREATE TABLE orders (id int PRIMARY KEY, what text NOT NULL)");
    shop.#server.listen(0, "127.0.0.1");
    await once(shop.#server, "listening");
    shop.work();
    return shop;
  }

  get url(): string {
    const address = this.#server.address();
    assert.ok(typeof address === "object" && address !== null);
    return `http://127.0.0.1:${address.port}`;
  }

  get orders(): number {
    return this.#count;
  }

  async waitForOrders(more: number): Promise<void> {
    const wanted = this.#count + more;
    await waitUntil(`${more} more orders`, () => this.#count >= wanted);
  }

  work(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#log("at work");
    this.#working = this.#workOn();
    // Told to whoever waits for it.
    this.#working.catch(() => undefined);
  }

  async rest(): Promise<void> {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    await this.#working;
    this.#options.onRest(this.#count);
    this.#log("at rest");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWanted = false;
    this.#server.close();
    this.#server.closeAllConnections();
    try {
      await this.#working;
    } finally {
      await this.#client.end();
    }
  }

  async #answer({ url }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (url === "/maintenance/on") await this.rest();
    else if (url === "/maintenance/off") this.work();
    else response.statusCode = 404;
    response.end();
  }

  async #workOn(): Promise<void> {
    const { folder } = this.#options;
    while (this.#isWanted) {
      const id = this.#count + 1;
      const what = `order ${id} `.repeat(id % 50);
      writeFileSync(join(this.#orders, `${id}.txt`), what);
      appendFileSync(join(folder, "ledger"), `${id}\n`);
      writeFileSync(join(folder, "count"), String(id));
      await this.#client.query("INSERT INTO orders VALUES ($1, $2)", [id, what]);
      this.#count = id;
    }
  }

  #log(event: string): void {
    appendFileSync(this.#options.logPath, `${event}\n`);
  }
}
