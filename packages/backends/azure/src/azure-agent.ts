import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import type { ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { createSecureContext, getCACertificates } from "node:tls";
import type { SecureContext } from "node:tls";
import { ComebackError } from "@comeback/core";
import type { TlsSettings } from "@comeback/core";

export interface AgentSettings {
  readonly isEncrypted: boolean;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly tls: TlsSettings;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY count, in capitals or not. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

type OnCreate = (error: Error | null, stream: Duplex) => void;

/** The connections of one backend: bounded in number, and given up where nothing moves on them. */
export function makeAgent(settings: AgentSettings): HttpAgent {
  const { env, idleTimeoutMs, maxConnections, tls } = settings;
  const proxyEnv = Object.fromEntries(
    ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"]
      .flatMap((name) => [name, name.toLowerCase()])
      .flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const common = { keepAlive: true, maxSockets: maxConnections, timeout: idleTimeoutMs, proxyEnv };
  if (!settings.isEncrypted) return new PlainAgent(common);
  return new EncryptedAgent({
    ...common,
    secureContext: trustOf(tls),
    rejectUnauthorized: tls.isInsecure !== true,
  });
}

/** The SDK sets no time limit for an answer that has begun, and hears of no idle connection. */
function giveUpWhenIdle(socket: Duplex | null | undefined): void {
  socket?.once("timeout", () => {
    const error = new Error("nothing came or went for too long");
    socket.destroy(Object.assign(error, { code: "ETIMEDOUT" }));
  });
}

class PlainAgent extends HttpAgent {
  override createConnection(
    options: ClientRequestArgs,
    onCreate?: OnCreate,
  ): Duplex | null | undefined {
    const socket = super.createConnection(options, onCreate);
    giveUpWhenIdle(socket);
    return socket;
  }
}

class EncryptedAgent extends HttpsAgent {
  override createConnection(
    options: RequestOptions,
    onCreate?: OnCreate,
  ): Duplex | null | undefined {
    // Through a proxy the connection comes later, and is another than the one to the proxy.
    const socket = super.createConnection(options, (error, stream) => {
      if (error === null && stream !== socket) giveUpWhenIdle(stream);
      onCreate?.(error, stream);
    });
    giveUpWhenIdle(socket);
    return socket;
  }
}

/** Made once: with hundreds of authorities it would cost every connection 10 ms. */
function trustOf(tls: TlsSettings): SecureContext {
  const given = (tls.caCertificatePaths ?? []).map((path) => readPem("CA certificate", path));
  const client = tls.clientCertificatePath;
  const pem = client === undefined ? undefined : readPem("client certificate", client);
  const ca = [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  try {
    return createSecureContext({
      ca: [...ca, ...given],
      ...(pem === undefined ? {} : { cert: pem, key: pem }),
    });
  } catch (cause) {
    throw unusable("the TLS certificates cannot be used", cause);
  }
}

function readPem(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw unusable(`the ${what} ${path} cannot be read`, cause);
  }
}

function unusable(message: string, cause: unknown): ComebackError {
  return new ComebackError("option.invalid", message, {
    next: "check the files: PEM, with the client's certificate and its key in one file",
    cause,
  });
}
