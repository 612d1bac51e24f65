import { ComebackError } from "@comeback/core";
import type { OpenBackendOptions } from "@comeback/core";
import type { ServerPlace } from "./http1-transport.ts";

const NEXT =
  "write it as rest:https://host:port/path/ or rest:http+unix:///path/of.socket:/path/, " +
  "and a : / @ or % in user or password as %3A %2F %40 %25";

/** A repository on a REST server, as a URL names it. */
export interface RestLocation {
  readonly place: ServerPlace;
  /** Encoded; begins and ends with a slash. */
  readonly basePath: string;
  /** The server as a message names it. */
  readonly server: string;
  /** The URL without user and password. */
  readonly shown: string;
  readonly authorization: string | undefined;
}

/** Reads restic's forms of a REST URL. What is wrong with one is told without quoting it. */
export function parseRestLocation(
  location: string,
  env: OpenBackendOptions["env"] = {},
): RestLocation {
  const text = location.replace(/^rest:/, "");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw badUrl("that is not a URL of a REST server");
  const authorization = authorizationOf(url, env);
  if (url.search !== "" || url.hash !== "") {
    throw badUrl("the URL of a REST server ends with a path, without ? and #");
  }
  if (url.protocol === "http+unix:") return onSocket(url, authorization);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw badUrl(`"${url.protocol}" is no way to reach a REST server`);
  }
  const isTls = url.protocol === "https:";
  const basePath = withSlash(url.pathname);
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  return {
    // The brackets of an IPv6 address belong to the URL only.
    place: { isTls, hostname: url.hostname.replaceAll(/^\[|\]$/g, ""), port },
    basePath,
    server: `${url.protocol}//${url.host}`,
    shown: `rest:${url.protocol}//${url.host}${basePath}`,
    authorization,
  };
}

function onSocket(url: URL, authorization: string | undefined): RestLocation {
  const [, socket = "", path = "/"] = /^([^:]+)(?::(.*))?$/.exec(url.pathname) ?? [];
  if (socket === "" || url.host !== "") throw badUrl("the URL names no socket");
  const socketPath = decode(socket);
  const basePath = withSlash(path.startsWith("/") ? path : `/${path}`);
  return {
    place: { isTls: false, hostname: "localhost", port: 80, socketPath },
    basePath,
    server: socketPath,
    shown: `rest:http+unix://${socket}:${basePath}`,
    authorization,
  };
}

/** As restic: the environment counts where the URL has neither user nor password. */
function authorizationOf(
  url: URL,
  env: NonNullable<OpenBackendOptions["env"]>,
): string | undefined {
  let [user, password] = [decode(url.username), decode(url.password)];
  if (user === "" && password === "") {
    user = env["COMEBACK_REST_USERNAME"] || env["RESTIC_REST_USERNAME"] || "";
    password = env["COMEBACK_REST_PASSWORD"] || env["RESTIC_REST_PASSWORD"] || "";
  }
  if (user === "" && password === "") return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badUrl("the URL has a % that stands for no character");
  }
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}

function badUrl(what: string): ComebackError {
  return new ComebackError("option.invalid", what, { next: NEXT });
}
