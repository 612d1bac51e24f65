import { posix } from "node:path";
import { ComebackError } from "@comeback/core";

/** Where a repository lies, as its URL says. */
export interface SftpPlace {
  /** The URL, for messages. */
  readonly location: string;
  readonly host: string;
  readonly user: string | undefined;
  readonly port: string | undefined;
  /** A path on the server; a relative one begins in the user's home folder. */
  readonly path: string;
}

/**
 * restic's two forms: `sftp:[user@]host:path`, and `sftp://[user@]host[:port]/path`, where an
 * absolute path has two slashes.
 */
export function parseSftpLocation(location: string): SftpPlace {
  const parts = location.startsWith("sftp://") ? parseUrl(location) : parseShort(location);
  const { host, user, port, path } = parts;
  if (host === "" || path === "") throw badLocation("it names no host, or no folder on it");
  if (/[\0\r\n]/.test(location)) throw badLocation("it has a line break or a NUL byte");
  // ssh would take them for options.
  if (host.startsWith("-") || user?.startsWith("-") === true) {
    throw badLocation("a host or user begins with a dash");
  }
  const clean = posix.normalize(path).replace(/(?<=.)\/$/, "");
  if (clean.startsWith("~")) {
    throw badLocation("its path begins with ~, which servers do not know", RELATIVE);
  }
  return { location, host, user: user === "" ? undefined : user, port, path: clean };
}

const RELATIVE = "leave the ~/ out: a path without a leading / begins in the home folder";

type Parts = Pick<SftpPlace, "host" | "user" | "port" | "path">;

function parseUrl(location: string): Parts {
  const rest = location.slice("sftp://".length);
  const slash = rest.indexOf("/");
  if (slash === -1) throw badLocation("it names no folder: sftp://[user@]host[:port]/path");
  const { user, host } = splitUser(rest.slice(0, slash));
  if (user?.includes(":") === true) {
    throw badLocation(
      "it has a password in it, which ssh would not take",
      "leave it out, and use a key: `ssh-copy-id USER@HOST`",
    );
  }
  const groups = /^(?<name>\[[^\]]*\]|[^:]*)(?::(?<port>\d+))?$/.exec(host)?.groups;
  if (groups === undefined) throw badLocation("its port is not a number");
  return {
    host: decode(withoutBrackets(groups["name"] ?? "")),
    user: user === undefined ? undefined : decode(user),
    port: groups["port"],
    path: decode(rest.slice(slash + 1)),
  };
}

function parseShort(location: string): Parts {
  const rest = location.slice("sftp:".length);
  // An IPv6 address has colons of its own, and so stands in brackets.
  const bracket = /^[^/:]*\[/.test(rest) ? rest.indexOf("]:") + 1 : 0;
  const colon = rest.indexOf(":", bracket);
  if (colon === -1) throw badLocation("it is not sftp:[user@]host:path");
  const { user, host } = splitUser(rest.slice(0, colon));
  return { host: withoutBrackets(host), user, port: undefined, path: rest.slice(colon + 1) };
}

/** A user's name may have an @ in it; a host's never has. */
function splitUser(text: string): { user: string | undefined; host: string } {
  const at = text.lastIndexOf("@");
  return { user: at === -1 ? undefined : text.slice(0, at), host: text.slice(at + 1) };
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/s, "$1");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badLocation("a % in it is not followed by two hexadecimal digits", "write %25 for a %");
  }
}

/** The URL itself is not repeated: someone may have put a password into it. */
function badLocation(
  why: string,
  next = "for example `-r sftp:me@host:/srv/backup` or `-r sftp://me@host:2222//srv/backup`",
): ComebackError {
  return new ComebackError("option.invalid", "the repository's sftp URL cannot be used", {
    why,
    next,
  });
}
