/** The plain part of a mail with the subject before it, decoded as RFC 2045 and 2047 have it. */
export function shownOf(content: string): string {
  return `${subjectOf(content)}\n${partOf(content, "text/plain")}`;
}

export function subjectOf(content: string): string {
  const value = headerOf(content, "subject") ?? "";
  return value
    .replaceAll(/\?=\s+=\?/g, "?==?")
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
      kind.toLowerCase() === "b"
        ? Buffer.from(text, "base64").toString("latin1")
        : quotedBytes(text.replaceAll("_", " ")),
    )
    .replace(/[\u0080-\u00FF]+/g, (bytes) => Buffer.from(bytes, "latin1").toString("utf8"));
}

export function headerOf(content: string, name: string): string | undefined {
  const [head = ""] = content.split(/\r?\n\r?\n/);
  const unfolded = head.replaceAll(/\r?\n[ \t]+/g, " ");
  const line = unfolded.split(/\r?\n/).find((each) => each.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** The body of a part of the mail, by its type. */
export function partOf(content: string, type: string): string {
  const text = content.replaceAll("\r\n", "\n");
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1];
  const parts = boundary === undefined ? [text] : text.split(`--${boundary}`);
  const part = parts.find((each) => new RegExp(`content-type: ${type}`, "i").test(each)) ?? "";
  const [head = "", ...rest] = part.replace(/^\n/, "").split("\n\n");
  const body = rest.join("\n\n");
  const encoding = /content-transfer-encoding: (\S+)/i.exec(head)?.[1]?.toLowerCase();
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding !== "quoted-printable") return body;
  return Buffer.from(quotedBytes(body.replaceAll("=\n", "")), "latin1").toString("utf8");
}

function quotedBytes(text: string): string {
  return text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
