/**
 * A repository's location as it may be shown: without a name and password in it, and without what
 * stands behind a question mark, where signatures and tokens stand. Rather too little than too
 * much: a slash or an at sign in a password must not bring a part of it to light.
 */
export function redactLocation(location: string): string {
  const [, before, after] = /^(.*?\/\/)(.*)$/s.exec(location) ?? [];
  if (before === undefined || after === undefined) return location;
  const shown = before + withoutCredentials(after, before);
  const query = shown.indexOf("?");
  return query === -1 ? shown : `${shown.slice(0, query)}?***`;
}

function withoutCredentials(path: string, before: string): string {
  const at = path.lastIndexOf("@");
  if (at === -1) return path;
  const [host = ""] = path.split("/", 1);
  const credentials = path.slice(0, at);
  const isInPath = !credentials.includes(":") && credentials.includes("/");
  if (isInPath && !host.includes("@")) return path;
  // ssh has its passwords elsewhere, and who logs in is worth knowing.
  const [user = ""] = host.split("@", 1);
  if (before.startsWith("sftp:") && host.includes("@") && !user.includes(":")) return path;
  return `***@${isInPath ? path.slice(path.indexOf("@") + 1) : path.slice(at + 1)}`;
}
