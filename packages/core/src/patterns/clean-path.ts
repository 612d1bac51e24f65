import { posix } from "node:path";
import type { ByteString } from "../byte-string.ts";

/**
 * The shortest path that says the same, without looking at the disk: no double slashes, no ".",
 * ".." resolved, no slash at the end; "" becomes ".". Go's `filepath.Clean`.
 */
export function cleanPath(path: ByteString): ByteString {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** The components of a clean path; an absolute one begins with the component "/". */
export function pathComponents(path: ByteString): ByteString[] {
  if (path === "/") return ["/"];
  const components = path.split("/");
  if (components[0] === "") components[0] = "/";
  return components;
}
