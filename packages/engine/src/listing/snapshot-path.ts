import type { ByteString } from "@comeback/core";

/** The components of a path within a snapshot; `.` and empty ones left out, `..` taken back. */
export function pathComponents(path: ByteString): string[] {
  const components: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") components.pop();
    else if (part !== "" && part !== ".") components.push(part);
  }
  return components;
}

/** The path without anything superfluous; always absolute. */
export function cleanPath(path: ByteString): ByteString {
  return `/${pathComponents(path).join("/")}`;
}

/** Whether `path` is `folder` itself or lies below it. Both clean. */
export function isWithin(path: ByteString, folder: ByteString): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}
