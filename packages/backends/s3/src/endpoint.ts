import type { S3Location } from "./parse-location.ts";
import type { S3Settings } from "./settings.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What Amazon means where no region is named, and what the other stores take. */
const REGION_DEFAULT = "us-east-1";
const REGION_IN_HOST =
  /^s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com(?:\.cn)?$/;
/** Stores known to take the bucket in the host's name (as restic's library has them). */
const TAKES_BUCKET_IN_HOST =
  /(^|\.)(amazonaws\.com(\.cn)?|storage\.googleapis\.com|aliyuncs\.com)$/;
/** Stores that refuse a conditional PUT onto a name that is taken, by their own documentation. */
const CONDITIONAL = /(^|\.)(amazonaws\.com(\.cn)?|r2\.cloudflarestorage\.com)$/;

export interface S3Endpoint {
  readonly url: string;
  readonly region: string;
  /** Neither said by the user nor by the host's name: the store may name a better one. */
  readonly isRegionGuessed: boolean;
  readonly isPathStyle: boolean;
  readonly isConditionalKnown: boolean;
}

/** Which host is called, how the bucket is named to it, and for which region calls are signed. */
export function endpointOf(location: S3Location, settings: S3Settings, env: Env): S3Endpoint {
  const name = location.host.replace(/:\d+$/, "");
  const inHost = REGION_IN_HOST.exec(name)?.[1];
  const said = settings.region ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? "";
  const region = said === "" ? inHost : said;
  return {
    ...placeOf(location, region ?? REGION_DEFAULT),
    isRegionGuessed: region === undefined,
    isPathStyle: isPathStyle(location, name, settings),
    isConditionalKnown: CONDITIONAL.test(name),
  };
}

/** The endpoint once the store has said where the bucket is. */
export function inRegion(endpoint: S3Endpoint, location: S3Location, region: string): S3Endpoint {
  return { ...endpoint, ...placeOf(location, region), isRegionGuessed: false };
}

function placeOf(location: S3Location, region: string): Pick<S3Endpoint, "url" | "region"> {
  // The general host leads elsewhere, with a redirect for each call; the region's own does not.
  const host = location.host === "s3.amazonaws.com" ? `s3.${region}.amazonaws.com` : location.host;
  return { url: `${location.isHttps ? "https" : "http"}://${host}`, region };
}

function isPathStyle(location: S3Location, host: string, settings: S3Settings): boolean {
  if (settings.bucketLookup !== "auto") return settings.bucketLookup === "path";
  // A certificate for *.host holds for one more name, and a bucket with dots would be several.
  if (location.isHttps && location.bucket.includes(".")) return true;
  return !TAKES_BUCKET_IN_HOST.test(host);
}
