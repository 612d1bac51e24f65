import { ComebackError, isComebackError, messageOf, retryAfterContext } from "@comeback/core";
import type { Clock, ErrorCode, ErrorDetails } from "@comeback/core";
import { withoutSecrets } from "./azure-credential.ts";
import type { AzureCredential } from "./azure-credential.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { explainSilence } from "./explain-silence.ts";

/** What all messages of one repository need to know. */
export interface AzurePlace {
  readonly url: string;
  readonly container: string;
  /** The host of the blob service. */
  readonly host: string;
  readonly credential: AzureCredential;
  readonly clock: Clock;
}

/** What the SDK's errors have that we look at; all of it from outside. */
export interface AzureFailure {
  /** `saving pack 0123456789` */
  readonly doing: string;
  /** 0 where no answer came. */
  readonly status: number;
  /** The service's name for it (`BlobNotFound`), else the system's (`ECONNREFUSED`). */
  readonly code: string;
  /** The service's own time. */
  readonly date: string | undefined;
  readonly cause: Error;
}

export type Explanation = ErrorDetails & { readonly code: ErrorCode; readonly message: string };

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly response?: { readonly headers?: { get(name: string): string | undefined } };
}

/** The service's or the system's name for a failure; "" for what is neither. */
export function failureCode(error: unknown): string {
  const { code, response } = (error ?? {}) as SdkError;
  const named = response?.headers?.get("x-ms-error-code");
  return named ?? (typeof code === "string" ? code : "");
}

/** Says what a failed call means for the person who reads it. */
export function azureError(place: AzurePlace, doing: string, error: unknown): ComebackError {
  if (isComebackError(error)) return error;
  const { name, response, statusCode } = (error ?? {}) as SdkError;
  const status = typeof statusCode === "number" ? statusCode : 0;
  const code = failureCode(error);
  const failure: AzureFailure = {
    doing,
    status,
    code,
    date: response?.headers?.get("date"),
    cause: safeCause(place.credential, error, `HTTP ${status} ${code}`.trim()),
  };
  const isIdentity =
    typeof name === "string" && /^(Aggregate)?(Authentication|Credential)/.test(name);
  const explanation = isIdentity
    ? explainIdentity(place, failure)
    : failure.status === 0
      ? explainSilence(place, failure)
      : explainRefusal(place, failure);
  const { code: errorCode, message, ...details } = explanation;
  return new ComebackError(errorCode, message, {
    ...details,
    context: {
      ...(status === 0 ? {} : { httpStatus: status }),
      ...(code === "" ? {} : status === 0 ? { systemError: code } : { serviceCode: code }),
      // For the wrapper that retries.
      ...retryAfterContext(response?.headers?.get("retry-after"), place.clock.now()),
    },
    cause: failure.cause,
  });
}

/**
 * The SDK's errors carry the whole request: a URL with its signature, and headers. What is kept is
 * their first line; the answer to a question without a body has none.
 */
function safeCause(credential: AzureCredential, error: unknown, otherwise: string): Error {
  const [line = ""] = messageOf(error).split("\n");
  return new Error(withoutSecrets(credential, line === "" ? otherwise : line));
}

function explainIdentity(place: AzurePlace, failure: AzureFailure): Explanation {
  return {
    code: "backend.credentials",
    message: `nothing on this machine may sign in to ${place.host}`,
    why: `${failure.doing}: AZURE_ACCOUNT_KEY and AZURE_ACCOUNT_SAS are not set, and no identity works`,
    next: "set one of them, or sign in (`az login`, a managed identity, AZURE_CLIENT_ID and others)",
  };
}
