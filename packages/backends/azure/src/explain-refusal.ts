import type { AzureFailure, AzurePlace, Explanation } from "./azure-errors.ts";
import { validityOf } from "./azure-credential.ts";

/** Beyond this difference the service refuses what was signed. */
const CLOCK_SKEW_MAX_MS = 15 * 60_000;

const UNKNOWN_SIGNER: ReadonlySet<string> = new Set([
  "AuthenticationFailed",
  "InvalidAuthenticationInfo",
  "NoAuthenticationInformation",
  "InvalidAuthenticationInformation",
]);

const BUSY: ReadonlySet<string> = new Set([
  "ServerBusy",
  "TooManyRequests",
  "AccountBeingCreated",
  "ContainerBeingDeleted",
]);

const SLOW: ReadonlySet<string> = new Set(["OperationTimedOut", "RequestTimeout"]);

/** Calls on a pack that lies in the archive tier, or is on its way out of it. */
const ARCHIVED: ReadonlySet<string> = new Set(["BlobArchived", "BlobBeingRehydrated"]);

/** A failure that the service answered with: by its name for it, and else by the status. */
export function explainRefusal(place: AzurePlace, failure: AzureFailure): Explanation {
  const { code, doing, status } = failure;
  if (isUnknownSigner(place, failure)) return explainSigner(place, failure);
  if (BUSY.has(code) || status === 429 || (status === 503 && !SLOW.has(code))) {
    return {
      code: "backend.busy",
      message: `${place.host} is busy`,
      why: `${doing} was put off by the service`,
      next: "repeat the command later, or use fewer connections (-o azure.connections=2)",
      retryable: true,
    };
  }
  if (SLOW.has(code) || status === 408 || status === 504) {
    return {
      code: "backend.unreachable",
      message: `${place.host} took too long`,
      why: `${doing} timed out at the service`,
      next: "repeat the command",
      retryable: true,
    };
  }
  if (code === "ContainerNotFound" || code === "ResourceNotFound") {
    return {
      code: "backend.misconfigured",
      message: `there is no container ${place.container} in ${place.host}`,
      why: doing,
      next: "check its name and the account's; `comeback init` makes it for a new repository",
    };
  }
  return explainState(place, failure) ?? explainOther(place, failure);
}

/** A general refusal cannot be for want of a permission where all are there, or none holds now. */
function isUnknownSigner(
  { clock, credential }: AzurePlace,
  { code, status }: AzureFailure,
): boolean {
  if (UNKNOWN_SIGNER.has(code) || status === 401) return true;
  if (code !== "AuthorizationFailure") return false;
  if (credential.kind !== "signature") return credential.kind === "account-key";
  return timeProblem(credential.query, clock.now()) !== undefined;
}

/** Nobody knows the signature: a wrong key, one that does not hold at this time, a wrong clock. */
function explainSigner(place: AzurePlace, failure: AzureFailure): Explanation {
  const { clock, credential, host } = place;
  const message = `${host} does not accept the credentials`;
  const refused = { code: "backend.credentials", message } as const;
  const nowMs = clock.now();
  const skewMs = nowMs - Date.parse(failure.date ?? "");
  if (Math.abs(skewMs) > CLOCK_SKEW_MAX_MS) {
    const minutes = Math.round(Math.abs(skewMs) / 60_000);
    return {
      ...refused,
      why: `this machine's clock is ${minutes} minutes ${skewMs > 0 ? "ahead of" : "behind"} the service's`,
      next: "set the clock (`timedatectl`), then repeat the command",
    };
  }
  if (credential.kind === "signature") return { ...refused, ...explainSignature(place) };
  if (credential.kind === "account-key") {
    return {
      ...refused,
      why: `${failure.doing}: AZURE_ACCOUNT_KEY is not a key of this account, or a firewall rule of it refuses this machine`,
      next: "copy the key from the account's page again (it may have been renewed), and look at its network rules",
    };
  }
  return {
    ...refused,
    why: `${failure.doing}: the account does not know this identity`,
    next: "sign in to the account's tenant, or set AZURE_ACCOUNT_KEY or AZURE_ACCOUNT_SAS",
  };
}

function explainSignature({ clock, credential }: AzurePlace): { why: string; next: string } {
  const query = credential.kind === "signature" ? credential.query : "";
  return {
    why:
      timeProblem(query, clock.now()) ??
      "AZURE_ACCOUNT_SAS is not signed with a key of this account, or was cut off",
    next: "make a new shared access signature and set AZURE_ACCOUNT_SAS to it",
  };
}

/** Why a signature does not hold at this time, if it does not. */
function timeProblem(query: string, nowMs: number): string | undefined {
  const { fromMs, untilMs } = validityOf(query);
  if (untilMs !== undefined && nowMs >= untilMs) {
    return `AZURE_ACCOUNT_SAS expired at ${new Date(untilMs).toISOString()}`;
  }
  if (fromMs !== undefined && nowMs < fromMs) {
    return `AZURE_ACCOUNT_SAS does not hold before ${new Date(fromMs).toISOString()}`;
  }
  return undefined;
}

/** Calls that the state of what is stored does not allow. */
function explainState(place: AzurePlace, failure: AzureFailure): Explanation | undefined {
  const { code, doing } = failure;
  if (ARCHIVED.has(code)) {
    return {
      code: "backend.archived",
      message: `${doing} needs a thaw first`,
      why:
        code === "BlobArchived"
          ? "it lies in the archive tier of Azure, where nothing can be read"
          : "it is on its way out of the archive tier of Azure, which takes hours",
      next: "have it thawed (up to 15 hours), then repeat the command",
    };
  }
  if (/Immutab/.test(code)) {
    return {
      code: "backend.retained",
      message: `${doing} is not allowed yet`,
      why: "a policy of the container keeps its blobs from being changed or deleted",
      next: "wait until the time of the policy has passed, or let its owner change it",
    };
  }
  // The emulator has another name for it, which it uses for other things as well.
  const isOtherSum = code === "InvalidOperation" && /MD5 doesn't match/.test(failure.cause.message);
  if (isOtherSum || code === "Md5Mismatch" || code === "Crc64Mismatch") {
    return {
      code: "backend.io",
      message: `${doing} failed`,
      why: "what reached the service was not what was sent",
      next: "repeat the command; if it stays so, check this machine's memory and network",
      retryable: true,
    };
  }
  if (/Tier/.test(code)) {
    return {
      code: "backend.misconfigured",
      message: `${place.host} does not have this access tier`,
      why: `${doing} was refused`,
      next: "use a tier that the account offers, or none (azure.access-tier, azure.access-tier-data)",
    };
  }
  return undefined;
}

const PERMISSIONS: readonly (readonly [RegExp, string])[] = [
  [/^saving|^making/, "write and create"],
  [/^listing/, "list"],
  [/^removing/, "delete"],
  [/^thawing/, "write"],
];

function explainOther(place: AzurePlace, failure: AzureFailure): Explanation {
  const { code, doing, status } = failure;
  if (status === 403) {
    const needed = PERMISSIONS.find(([call]) => call.test(doing))?.[1] ?? "read";
    return {
      code: "backend.permission",
      message: `no permission for ${doing}`,
      why: whyForbidden(code, needed),
      next: whoAllows(place, needed),
    };
  }
  if (status === 507 || /Quota|AccountLimit|InsufficientStorage/.test(code)) {
    return {
      code: "backend.full",
      message: `no space left in ${place.host}`,
      why: doing,
      next: "raise the account's limit, or free space there; what was stored so far is intact",
    };
  }
  return {
    code: "backend.io",
    message: `${doing} failed`,
    why: place.url,
    retryable: status >= 500,
  };
}

function whyForbidden(code: string, needed: string): string {
  switch (code) {
    case "AuthorizationSourceIPMismatch":
      return "the signature does not allow this machine's address";
    case "AuthorizationProtocolMismatch":
      return "the signature allows https alone";
    case "AuthorizationServiceMismatch":
      return "the signature is for another service than blobs";
    case "AuthorizationResourceTypeMismatch":
      return "the signature is for another kind of resource: it has to allow containers and objects";
    case "KeyBasedAuthenticationNotPermitted":
      return "the account does not allow its keys to be used";
    case "AccountIsDisabled":
      return "the account is disabled";
    default:
      return `the credentials do not allow to ${needed}, or a firewall rule refuses this machine`;
  }
}

function whoAllows({ credential, container }: AzurePlace, needed: string): string {
  if (credential.kind === "signature") {
    return `make a signature that allows read, list, create, write and delete (here: ${needed})`;
  }
  if (credential.kind === "identity") {
    return `give the identity the role "Storage Blob Data Contributor" on container ${container}`;
  }
  return "check the account's network rules, and whether it allows access by key";
}
