import { ComebackError, REST_CONNECTIONS, REST_CONNECTIONS_MAX } from "@comeback/core";

/** Reads `-o SCHEME.connections`. */
export function parseConnections(scheme: string, text: string | undefined): number {
  if (text === undefined) return REST_CONNECTIONS;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= REST_CONNECTIONS_MAX) return count;
  throw new ComebackError("option.invalid", `-o ${scheme}.connections=${text} is no such number`, {
    next: `give a whole number from 1 to ${REST_CONNECTIONS_MAX}`,
  });
}

/** Reads a setting that is on or off. */
export function parseSwitch(name: string, text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw new ComebackError("option.invalid", `-o ${name}=${text} is neither on nor off`, {
    next: "give true or false",
  });
}
