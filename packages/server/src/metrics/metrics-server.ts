import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  ComebackError,
  METRICS_AGE_MAX_MS,
  METRICS_CONNECTIONS_MAX,
  METRICS_TIMEOUT_MS,
} from "@comeback/core";
import type { Clock } from "@comeback/core";
import { type Metric, METRICS_CONTENT_TYPE, renderMetrics } from "./metric.ts";

export interface MetricsServerOptions {
  /** "127.0.0.1:9469", "[::1]:9469", ":9469" for this host only, or a port of 0 for any. */
  readonly listen: string;
  readonly clock: Clock;
  collect(): Promise<readonly Metric[]>;
  /** Why the daemon is not well; `undefined` where it is. */
  health(): string | undefined;
}

export interface MetricsServer extends AsyncDisposable {
  readonly url: string;
}

/** Throws `configuration.invalid`. */
export function parseListen(listen: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] =
    /^(?:\[([\da-fA-F:.]+)\]|([^:\s]*)):(\d{1,5})$/.exec(listen) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new ComebackError("configuration.invalid", `"${listen}" is no address to listen at`, {
      next: 'write daemon.metrics.listen as "127.0.0.1:9469"',
    });
  }
  // Who may see which plans there are, and when they run, is to be decided, not to be forgotten.
  const host = bracketed ?? plain ?? "";
  return { host: host === "" ? "127.0.0.1" : host, port: Number(port) };
}

/** Serves /metrics and /healthz until it is disposed. Rejects where the address cannot be had. */
export async function serveMetrics(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port } = parseListen(options.listen);
  const page = new MetricsPage(options);
  const server = createServer((request, response) => {
    answer(request, response, page, options).catch((error: unknown) =>
      response.destroy(error as Error),
    );
  });
  server.maxConnections = METRICS_CONNECTIONS_MAX;
  server.headersTimeout = METRICS_TIMEOUT_MS;
  server.requestTimeout = METRICS_TIMEOUT_MS;
  server.setTimeout(METRICS_TIMEOUT_MS);
  await listening(server, host, port, options.listen);
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listening(server: Server, host: string, port: number, listen: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new ComebackError("configuration.invalid", `metrics cannot be served at ${listen}`, {
          next: "choose another address in daemon.metrics.listen, or end what listens there",
          cause,
        }),
      ),
    );
    server.listen(port, host, () => resolve());
  });
}

/** However many ask, the catalog is asked once in a while. */
class MetricsPage {
  readonly #options: MetricsServerOptions;
  #text: Promise<string> | undefined;
  #atMs = -Infinity;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  text(): Promise<string> {
    const nowMs = this.#options.clock.now();
    // A clock that was set back makes nothing young again.
    const isFresh = nowMs >= this.#atMs && nowMs - this.#atMs < METRICS_AGE_MAX_MS;
    if (this.#text !== undefined && isFresh) return this.#text;
    this.#atMs = nowMs;
    this.#text = this.#options.collect().then(renderMetrics);
    this.#text.catch(() => (this.#text = undefined));
    return this.#text;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  page: MetricsPage,
  options: MetricsServerOptions,
): Promise<void> {
  request.resume();
  const send = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : text);
  };
  if (request.method !== "GET" && request.method !== "HEAD") return send(405, "only GET\n");
  const [path] = (request.url ?? "/").split("?");
  if (path === "/metrics") return send(200, await page.text(), METRICS_CONTENT_TYPE);
  if (path !== "/healthz") return send(404, "there is /metrics and /healthz\n");
  const problem = options.health();
  return problem === undefined ? send(200, "ok\n") : send(503, `${problem}\n`);
}
