import { posix } from "node:path";
import { ComebackError } from "@comeback/core";

/** Where in a storage account a repository lies. */
export interface AzureLocation {
  readonly container: string;
  /** Before every blob's name, without slashes at its ends; "" for the container's top. */
  readonly prefix: string;
  /** The same as a URL in one form, for messages. */
  readonly url: string;
}

/** Letters, digits and single hyphens, as the service requires of a container's name. */
const CONTAINER_NAME = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

/** Reads `azure:CONTAINER:/PREFIX` as restic does: the prefix is cleaned, its first slash is none. */
export function parseAzureLocation(location: string): AzureLocation {
  const parts = /^azure:([^:]*):(.*)$/s.exec(location);
  if (parts === null) throw badLocation("the container's name and a second colon are missing");
  const [, container = "", path = ""] = parts;
  if (!CONTAINER_NAME.test(container)) {
    throw badLocation(
      `${JSON.stringify(container)} is no name of a container: 3 to 63 lower-case letters, digits ` +
        "and single hyphens",
    );
  }
  const cleaned = posix.normalize(path).replace(/^\/+/, "").replace(/\/+$/, "");
  const prefix = cleaned === "." ? "" : cleaned;
  if (prefix === ".." || prefix.startsWith("../")) {
    throw badLocation("the path leads out of the container");
  }
  if (prefix.includes("\0")) throw badLocation("the path has a NUL byte");
  return { container, prefix, url: `azure:${container}:/${prefix}` };
}

function badLocation(why: string): ComebackError {
  return new ComebackError("option.invalid", "that is no location of an Azure repository", {
    why,
    next: "write it as azure:CONTAINER:/PATH, for example azure:backups:/laptop",
  });
}
