import { ComebackError, messageOf } from "@comeback/core";
import type { S3Operation } from "./s3-errors.ts";

const UNREACHABLE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/** The codes of Node's own TLS checks, all of which are about the certificate. */
const UNTRUSTED =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT|CRL_|HOSTNAME_|INVALID_CA|PATH_LENGTH)/;

/** Says what a connection's failure means for the person who reads it. */
export function networkError(operation: S3Operation, error: unknown): ComebackError {
  const { doing, host, location } = operation;
  const code = codeOf(error);
  const why = `${doing}: ${messageOf(rootOf(error))}`;
  const details = { why, context: { location, systemError: code }, cause: new Error(why) };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new ComebackError("backend.unknown-host", `nobody knows the host ${host}`, {
      ...details,
      next: "check its name, and that this machine has a network and a name server",
      retryable: code === "EAI_AGAIN",
    });
  }
  if (code.startsWith("ERR_PROXY")) {
    return new ComebackError("backend.unreachable", `the proxy does not lead to ${host}`, {
      ...details,
      next: "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and the proxy's own rules",
      retryable: true,
    });
  }
  if (UNREACHABLE.has(code)) {
    return new ComebackError("backend.unreachable", `${host} cannot be reached`, {
      ...details,
      next: "check the network, the port, firewalls, and whether the store runs",
      retryable: true,
    });
  }
  if (UNTRUSTED.test(code)) {
    return new ComebackError("backend.misconfigured", `the certificate of ${host} is not trusted`, {
      ...details,
      next: "name its authority's certificate with --cacert FILE",
    });
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return new ComebackError("backend.misconfigured", `${host} does not speak TLS as it should`, {
      ...details,
      next: "for a store without TLS write s3:http://…, else check port and client certificate",
    });
  }
  return new ComebackError("backend.io", `${doing} failed`, {
    ...details,
    next: "repeat the command; if it happens again, look at the network between here and the store",
    retryable: true,
  });
}

/** Node tries a host's addresses in turn, and then throws what each of them said. */
function rootOf(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors[0] ?? error) : error;
}

function codeOf(error: unknown): string {
  const root = rootOf(error);
  return root instanceof Error && "code" in root && typeof root.code === "string" ? root.code : "";
}
