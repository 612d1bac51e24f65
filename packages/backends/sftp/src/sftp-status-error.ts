import { Status } from "./packet-reader.ts";

/** What a server answered to a request that it did not carry out. */
export class SftpStatusError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    // A server's own words are for people, and shown: no control characters, no novel.
    super(message.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, 200) || `status ${status}`);
    this.name = "SftpStatusError";
    this.status = status;
  }
}

export function hasStatus(error: unknown, ...statuses: (keyof typeof Status)[]): boolean {
  return error instanceof SftpStatusError && statuses.some((name) => Status[name] === error.status);
}
