import { ComebackError, isComebackError, messageOf } from "@comeback/core";
import { Stalled } from "./stall-guard.ts";

/** What failed, for messages. */
export interface FailedCall {
  /** "saving pack 0123456789" */
  readonly doing: string;
  /** The server's name as the user wrote it, without secrets. */
  readonly server: string;
}

/** Nobody vouches for the certificate. */
const UNKNOWN_AUTHORITY: readonly string[] = [
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_UNTRUSTED",
];

/** The connection ended, or never was: another try may go through. */
const UNREACHABLE: readonly string[] = [
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_HTTP2_STREAM_CANCEL",
  "ERR_HTTP2_STREAM_ERROR",
  "ERR_STREAM_PREMATURE_CLOSE",
];

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was cut",
  ENOENT: "there is no such socket",
  EPIPE: "the connection was cut",
};

/** Says what a connection's failure means for the person who reads it. */
export function connectionError(call: FailedCall, cause: unknown): ComebackError {
  if (isComebackError(cause)) return cause;
  if (cause instanceof Stalled) return stalled(call, cause);
  const code = codeOf(cause);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_FAIL") {
    return new ComebackError("backend.unknown-host", `no address is known for ${call.server}`, {
      why: `${call.doing}: the name could not be looked up (${code})`,
      next: "check the host's name in the URL, and the network of this machine",
      retryable: code !== "ENOTFOUND",
      context: { systemError: code },
      cause,
    });
  }
  return tlsError(call, code, cause) ?? unreachable(call, code, cause);
}

function stalled(call: FailedCall, cause: Stalled): ComebackError {
  const what = cause.isConnected ? `${call.server} stalled` : `${call.server} does not answer`;
  return new ComebackError("backend.unreachable", what, {
    why: `${call.doing}: ${cause.message}`,
    next: "check the server and the network between",
    retryable: true,
    cause,
  });
}

function unreachable(call: FailedCall, code: string, cause: unknown): ComebackError {
  const reason = REASONS[code] ?? messageOf(cause);
  const isRefused = code === "ECONNREFUSED" || code === "ENOENT";
  const what = isRefused ? "cannot be reached" : "broke off";
  return new ComebackError("backend.unreachable", `${call.server} ${what}`, {
    why: `${call.doing}: ${reason}`,
    next: isRefused
      ? "check that the server runs, and host and port in the URL"
      : "check the server and the network between, then repeat the command",
    // What a server says in broken HTTP says nothing about the next answer either.
    retryable: code === "" || UNREACHABLE.includes(code) || code.startsWith("HPE_"),
    context: { systemError: code },
    cause,
  });
}

function tlsError(call: FailedCall, code: string, cause: unknown): ComebackError | undefined {
  const { server } = call;
  const refuse = (what: string, next: string): ComebackError =>
    new ComebackError("backend.misconfigured", what, {
      why: `${call.doing}: ${messageOf(cause)}`,
      next,
      context: { tlsError: code },
      cause,
    });
  if (UNKNOWN_AUTHORITY.includes(code)) {
    return refuse(
      `${server} shows a certificate of an authority that is not trusted here`,
      "if the server is yours, name its authority's certificate with --cacert FILE",
    );
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    const when = code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet";
    return refuse(
      `the certificate of ${server} ${when}`,
      "renew it on the server; if it is new, check the clocks of both machines",
    );
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return refuse(
      `the certificate of ${server} is for another name`,
      "use the name in the URL that the certificate was made for",
    );
  }
  return tlsRefusal(code, refuse, server);
}

function tlsRefusal(
  code: string,
  refuse: (what: string, next: string) => ComebackError,
  server: string,
): ComebackError | undefined {
  if (/CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA/.test(code) && code.startsWith("ERR_SSL_")) {
    return refuse(
      `${server} asks for a client certificate that it knows`,
      "name one that it accepts with --tls-client-cert FILE",
    );
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return refuse(
      `${server} speaks no TLS that we understand`,
      "check the port; if the server has no TLS, the URL begins with rest:http:",
    );
  }
  if (code.startsWith("CERT_") || code.startsWith("ERR_TLS_") || /CRL|CERT/.test(code)) {
    return refuse(
      `the certificate of ${server} cannot be trusted`,
      "have the server's certificate checked and replaced",
    );
  }
  return undefined;
}

function codeOf(error: unknown): string {
  // With several addresses, each has a failure of its own: the first tells enough.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : "";
}
