import type { ServerResponse } from "node:http";

/** An error as the S3 API writes it. */
export interface S3Failure {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  /** More elements of the error, such as `Region`. */
  readonly more?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export const NO_SUCH_KEY: S3Failure = { status: 404, code: "NoSuchKey" };
export const NO_SUCH_BUCKET: S3Failure = { status: 404, code: "NoSuchBucket" };
export const PRECONDITION_FAILED: S3Failure = { status: 412, code: "PreconditionFailed" };

export function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function sendXml(response: ServerResponse, root: string, content: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, content)}`;
  response.writeHead(200, { "content-type": "application/xml" });
  response.end(body);
}

export function sendFailure(response: ServerResponse, failure: S3Failure, isHead: boolean): void {
  const { status, code, message = code, more = {}, headers = {} } = failure;
  const parts = Object.entries({ Code: code, Message: message, ...more });
  const content = parts.map(([name, value]) => element(name, escapeXml(value))).join("");
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${element("Error", content)}`;
  // What an upload goes on to send after a refusal is read by nobody.
  response.writeHead(status, {
    ...headers,
    "content-type": "application/xml",
    connection: "close",
  });
  response.end(isHead ? undefined : body);
}
