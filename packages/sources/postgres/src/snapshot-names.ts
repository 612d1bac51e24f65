import { type ByteString, byteStringFromText } from "@comeback/core";

/** The file name of a database: its own name, what no file name may hold as "%2F". */
export function fileNameOf(database: string): ByteString {
  const escaped = database
    .replaceAll(/[%/\p{Cc}]/gu, (each) => encodeURIComponent(each))
    .replace(/^\.+$/, (dots) => dots.replaceAll(".", "%2E"));
  return byteStringFromText(`${escaped}.dump`);
}

/** The folder of a cluster: what Debian calls "15/main" keeps its name when the version changes. */
export function folderNameOf(clusterName: string): string {
  const last = clusterName.split("/").at(-1) ?? "";
  return /^[\w][\w .-]*$/.test(last) ? last : "main";
}

export const GLOBALS_FILE = "globals.sql";
