import { posix } from "node:path";
import { ComebackError } from "@comeback/core";

/** Where a repository lies in an object store. */
export interface S3Location {
  /** Host, and port where one is given. */
  readonly host: string;
  readonly isHttps: boolean;
  readonly bucket: string;
  /** In front of every name, without a slash at its ends; "" for the bucket itself. */
  readonly prefix: string;
  /** For messages: as it was written, without a user or password. */
  readonly shown: string;
}

/**
 * Reads what restic reads (its internal/backend/s3/config.go): `s3:HOST/BUCKET[/PREFIX]`,
 * `s3://HOST/…`, `s3:http://…` and `s3:https://…`. The host always comes first: `s3:BUCKET/PREFIX`
 * would name a host called BUCKET.
 */
export function parseS3Location(location: string): S3Location {
  const text = location.startsWith("s3:") ? location.slice("s3:".length) : location;
  const { host, isHttps, path } = /^https?:\/\//.test(text) ? splitUrl(text) : splitPlain(text);
  const [bucket = "", ...rest] = path.split("/");
  if (bucket === "") throw badLocation("it names no bucket");
  // As restic cleans it: no empty parts, no dots, no slash at the end.
  const prefix = posix.normalize(`/${rest.join("/")}`).replace(/^\/|\/$/g, "");
  return { host, isHttps, bucket, prefix, shown: `s3:${text}` };
}

type Split = Pick<S3Location, "host" | "isHttps"> & { readonly path: string };

/** A URL's path is decoded; what has no `http` in front is taken as it is. So does restic. */
function splitUrl(text: string): Split {
  if (!URL.canParse(text)) throw badLocation("it is no URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw badLocation("it has a user or password in it, which would be seen in lists of processes");
  }
  if (url.search !== "" || url.hash !== "") throw badLocation("it has a ? or # in it");
  const isHttps = url.protocol === "https:";
  try {
    return { host: url.host, isHttps, path: decodeURIComponent(url.pathname.slice(1)) };
  } catch (cause) {
    throw badLocation("it has a % that stands for no character", cause);
  }
}

function splitPlain(text: string): Split {
  const written = text.replace(/^\/\//, "");
  const slash = written.indexOf("/");
  const host = slash === -1 ? written : written.slice(0, slash);
  if (!/^[\w.-]+(:\d+)?$|^\[[0-9a-fA-F:]+\](:\d+)?$/.test(host)) {
    throw badLocation("it does not begin with a host");
  }
  return { host, isHttps: true, path: slash === -1 ? "" : written.slice(slash + 1) };
}

/** Never shows the location: what is wrong with it may be a password in it. */
function badLocation(why: string, cause?: unknown): ComebackError {
  return new ComebackError("option.invalid", "that is not a location in an object store", {
    why,
    next: "write s3:HOST/BUCKET/PREFIX, for example s3:s3.amazonaws.com/my-bucket/laptop",
    ...(cause === undefined ? {} : { cause }),
  });
}
