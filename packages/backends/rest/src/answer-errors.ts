import { ComebackError, REST_FAILURE_TEXT_SHOWN_CHARS, retryAfterContext } from "@comeback/core";
import type { ErrorCode, ErrorDetails } from "@comeback/core";
import type { FailedCall } from "./connection-errors.ts";

/** An answer that is a refusal or a failure. */
export interface FailedAnswer extends FailedCall {
  readonly method: string;
  readonly status: number;
  header(name: string): string | undefined;
  /** What the server says to it, for people. */
  readonly text: string;
  readonly nowMs: number;
}

/** How stores behind rclone, and disks behind a server, say that they are full. */
const FULL =
  /no space left|remaining disk space|quota ?exceeded|storageQuota|insufficient.?(?:space|storage)/i;

type Meaning = readonly [code: ErrorCode, what: string, details: ErrorDetails];

/** Says what a server's answer means for the person who reads it. */
export function answerError(answer: FailedAnswer): ComebackError {
  const [code, what, details] = meaningOf(answer);
  const said = shownText(answer);
  const { status } = answer;
  return new ComebackError(code, what, {
    why: `${answer.doing}: it answered with status ${status}${said === "" ? "" : ` (${said})`}`,
    ...details,
    context: { status, ...details.context },
  });
}

function meaningOf(answer: FailedAnswer): Meaning {
  const { status, server } = answer;
  if (status >= 300 && status < 400) return redirected(answer);
  if (status === 401) {
    const next =
      "check user and password: in the URL, or in COMEBACK_REST_USERNAME and COMEBACK_REST_PASSWORD";
    return ["backend.credentials", `${server} does not let us in`, { next }];
  }
  if (status === 403) return forbidden(answer);
  if (status === 413) {
    const next =
      "raise the limit of the proxy before it (nginx: client_max_body_size), or use smaller packs " +
      "with --pack-size";
    return ["backend.misconfigured", `${server} takes no files of this size`, { next }];
  }
  if (status === 507) return full(answer);
  if (status === 429 || status === 503) return busy(answer);
  return failed(answer);
}

function full({ server }: FailedAnswer): Meaning {
  const next = "free space there, or raise its limit; what was stored so far is intact";
  return ["backend.full", `no space is left on ${server}`, { next }];
}

function redirected(answer: FailedAnswer): Meaning {
  const target = answer.header("location") ?? "";
  const host = URL.canParse(target) ? new URL(target).host : "another path of the same server";
  const next = `if that is right, name it in the repository's URL: nothing was sent there`;
  return ["backend.misconfigured", `${answer.server} refers us to ${host}`, { next }];
}

function forbidden({ method, server }: FailedAnswer): Meaning {
  if (method === "DELETE") {
    const what = `${server} does not let anything be removed`;
    const next = "it may be append-only: remove with a user, or on a server, that is allowed to";
    return ["backend.permission", what, { next }];
  }
  const next = "check that this user may use this path (private repositories begin with his name)";
  return ["backend.permission", `${server} does not allow this`, { next }];
}

function busy(answer: FailedAnswer): Meaning {
  const context = retryAfterContext(answer.header("retry-after"), answer.nowMs);
  const next = "try again later, or with fewer calls at once (-o rest.connections=2)";
  return ["backend.busy", `${answer.server} is too busy`, { next, retryable: true, context }];
}

function failed(answer: FailedAnswer): Meaning {
  const { status, server, doing } = answer;
  if (status >= 500 && FULL.test(answer.text)) return full(answer);
  if (status >= 500 || status === 408 || (status === 400 && answer.method === "POST")) {
    // 400: the server hashes what it gets, and it was not what was sent.
    const next = "look into the server's log";
    return ["backend.io", `${doing} failed on ${server}`, { next, retryable: status !== 501 }];
  }
  const next = server.startsWith("http:")
    ? "check the URL: is there a server for restic repositories, and does it not want rest:https:?"
    : "check the URL: is there a server for restic repositories, and at this path?";
  return ["backend.misconfigured", `${server} does not understand us`, { next }];
}

/** The first line, where it is text and not a page. */
function shownText(answer: FailedAnswer): string {
  const type = answer.header("content-type") ?? "text/plain";
  if (!type.startsWith("text/plain")) return "";
  const line = answer.text.trim().split("\n")[0] ?? "";
  return line.slice(0, REST_FAILURE_TEXT_SHOWN_CHARS);
}
