/** A failed system call, of Node's or of our own platform package. */
export interface SystemError extends Error {
  readonly code: string;
}

/** True for errors that carry the name of an errno, of a given one where it is asked for. */
export function isSystemError(error: unknown, code?: string): error is SystemError {
  if (!(error instanceof Error)) return false;
  const name: unknown = (error as { code?: unknown }).code;
  return typeof name === "string" && /^E[A-Z0-9]+$/.test(name) && (code ?? name) === name;
}
