import { ComebackError, isComebackError, messageOf, retryAfterContext } from "@comeback/core";
import type { ErrorCode, ErrorDetails } from "@comeback/core";
import { networkError } from "./network-errors.ts";

/** What was being done when it failed. */
export interface S3Operation {
  /** As a message says it: "saving pack 0123456789". */
  readonly doing: string;
  readonly location: string;
  readonly bucket: string;
  /** The permission that a policy has to grant, in the words of AWS: `s3:PutObject`. */
  readonly action: string;
  readonly host: string;
  readonly region: string;
  /** The name of the key, which is no secret. */
  readonly accessKeyId: string | undefined;
  readonly nowMs: number;
}

/** What the SDK throws for an answer of the store. */
export interface ServiceError extends Error {
  readonly $metadata: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  /** Some stores say which region they want. */
  readonly Region?: string;
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "$metadata" in error;
}

/** The store's code for what went wrong; for a HEAD, which has no body, the status stands for it. */
export function serviceCode(error: unknown): string {
  return isServiceError(error) ? error.name : "";
}

export function statusOf(error: unknown): number {
  return isServiceError(error) ? (error.$metadata.httpStatusCode ?? 0) : 0;
}

export function isMissing(error: unknown): boolean {
  const code = serviceCode(error);
  if (code === "NoSuchBucket") return false;
  return statusOf(error) === 404 || code === "NoSuchKey" || code === "NotFound";
}

type Explain = (operation: S3Operation) => Omit<ErrorDetails, "cause" | "why"> & {
  readonly code: ErrorCode;
  readonly what: string;
};

const wrongKey: Explain = ({ accessKeyId, host }) => ({
  code: "backend.credentials",
  what: `${host} does not know the access key ${accessKeyId ?? "that was sent"}`,
  next: "correct AWS_ACCESS_KEY_ID (or the profile's), and check that it is a key of this store",
});
const wrongSecret: Explain = ({ accessKeyId, host }) => ({
  code: "backend.credentials",
  what: `the secret key for ${accessKeyId ?? "the access key"} is wrong, says ${host}`,
  next: "correct AWS_SECRET_ACCESS_KEY (or the profile's): nothing more, nothing less, no spaces",
});
const expired: Explain = () => ({
  code: "backend.credentials",
  what: "the session token has expired or is not valid",
  next: "get new credentials (for example `aws sso login`), then repeat the command",
});
const wrongRegion: Explain = ({ bucket, region }) => ({
  code: "backend.misconfigured",
  what: `the bucket ${bucket} is not in the region ${region}`,
  next: "set its region with -o s3.region=… (or AWS_DEFAULT_REGION), and a host of that region",
});
const noBucket: Explain = ({ bucket, host }) => ({
  code: "backend.misconfigured",
  what: `there is no bucket ${bucket} at ${host}`,
  next: "check the bucket's name; `comeback init` makes one that is missing",
});
const clockSkew: Explain = () => ({
  code: "backend.misconfigured",
  what: "this machine's clock differs too much from the store's",
  next: "set the clock (`timedatectl set-ntp true`), then repeat the command",
});
const denied: Explain = ({ doing, bucket, action }) => ({
  code: "backend.permission",
  what: `${doing} is not allowed`,
  next: `allow ${action} on the bucket ${bucket} to these credentials`,
});
const busy: Explain = ({ host }) => ({
  code: "backend.busy",
  what: `${host} asks for fewer requests`,
  next: "wait a little and repeat the command, or use fewer connections (-o s3.connections)",
  retryable: true,
});
const archived: Explain = ({ doing }) => ({
  code: "backend.archived",
  what: `${doing} has to wait: the file is in an archive class`,
  next: "make it readable with `comeback thaw SNAPSHOT`, then repeat the command",
});
const full: Explain = ({ bucket }) => ({
  code: "backend.full",
  what: `no space is left for the bucket ${bucket}`,
  next: "raise its quota, or free space in it; what was stored so far is intact",
});
const badName: Explain = ({ bucket }) => ({
  code: "option.invalid",
  what: `the store takes no bucket that is called ${bucket}`,
  next: "use 3 to 63 lower-case letters, digits and dashes",
});
const taken: Explain = ({ bucket }) => ({
  code: "backend.permission",
  what: `the bucket ${bucket} belongs to someone else`,
  next: "choose another name: at most stores they are the same for all customers",
});
const damagedOnTheWay: Explain = ({ doing }) => ({
  code: "backend.io",
  what: `${doing} failed: what arrived is not what was sent`,
  next: "repeat the command; if it happens again, look for a bad network device or proxy",
  retryable: true,
});
const passing: Explain = ({ doing }) => ({
  code: "backend.io",
  what: `${doing} failed`,
  next: "repeat the command; if it happens again, look at the store's own status page or log",
  retryable: true,
});
const final: Explain = ({ doing }) => ({
  code: "backend.io",
  what: `${doing} was refused`,
  next: "look at the reason above; the store does not accept this request as it is",
});

/** By the store's code (S3 API reference, "Error responses"; and those that others use). */
const BY_CODE: Readonly<Record<string, Explain>> = {
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: wrongSecret,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  InvalidToken: expired,
  TokenRefreshRequired: expired,
  AuthorizationHeaderMalformed: wrongRegion,
  PermanentRedirect: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  InvalidLocationConstraint: wrongRegion,
  NoSuchBucket: noBucket,
  RequestTimeTooSkewed: clockSkew,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  SlowDown: busy,
  SlowDownRead: busy,
  SlowDownWrite: busy,
  ServiceUnavailable: busy,
  Throttling: busy,
  ThrottlingException: busy,
  TooManyRequests: busy,
  RequestLimitExceeded: busy,
  ConditionalRequestConflict: busy,
  OperationAborted: busy,
  InvalidObjectState: archived,
  QuotaExceeded: full,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  InvalidBucketName: badName,
  BucketAlreadyExists: taken,
  BadDigest: damagedOnTheWay,
  XAmzContentSHA256Mismatch: damagedOnTheWay,
  IncompleteBody: passing,
  InternalError: passing,
  RequestTimeout: passing,
};

const BY_STATUS: Readonly<Record<number, Explain>> = {
  301: wrongRegion,
  307: passing,
  401: wrongSecret,
  403: denied,
  429: busy,
  503: busy,
  507: full,
};

/** Says what a failed call means for the person who reads it. */
export function s3Error(operation: S3Operation, error: unknown): ComebackError {
  if (isComebackError(error)) return error;
  if (error instanceof Error && error.name === "CredentialsProviderError") {
    return noCredentials(error);
  }
  if (!isServiceError(error) || statusOf(error) === 0) return networkError(operation, error);
  const status = statusOf(error);
  const explain = BY_CODE[error.name] ?? BY_STATUS[status] ?? (status >= 500 ? passing : final);
  const { code, what, ...details } = explain(operation);
  const why = whyOf(error);
  return new ComebackError(code, what, {
    ...details,
    why,
    context: {
      location: operation.location,
      storeCode: error.name,
      httpStatus: status,
      // For the wrapper that retries.
      ...retryAfterContext(error.$response?.headers?.["retry-after"], operation.nowMs),
    },
    // Not the SDK's own: it has the signature in it, and what was signed.
    cause: new Error(why),
  });
}

function whyOf(error: ServiceError): string {
  const status = statusOf(error);
  const code = /^\w+$/.test(error.name) ? `${error.name}, ` : "";
  // Ceph says nothing more than the code, and then the SDK says this.
  const isSaid = !["", "UnknownError", error.name].includes(error.message);
  const said = isSaid ? `: ${error.message}` : "";
  return `the store answered ${code}HTTP ${status}${said.slice(0, 300)}`;
}

function noCredentials(error: Error): ComebackError {
  return new ComebackError("backend.credentials", "there are no credentials for the object store", {
    why: error.message,
    next: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    cause: new Error(messageOf(error)),
  });
}
