import { type Finding, isComebackError, messageOf } from "@comeback/core";

export function passed(subject: string, message: string): Finding {
  return { state: "passed", subject, message };
}

export function failed(subject: string, message: string, next?: string): Finding {
  return { state: "failed", subject, message, ...(next === undefined ? {} : { next }) };
}

export function warning(subject: string, message: string, next?: string): Finding {
  return { ...failed(subject, message, next), state: "warning" };
}

export function unknown(subject: string, message: string, next?: string): Finding {
  return { ...failed(subject, message, next), state: "unknown" };
}

/** An error as what was found. */
export function failedBy(subject: string, error: unknown): Finding {
  if (!isComebackError(error)) return failed(subject, messageOf(error));
  const { message, why, next } = error;
  return failed(subject, why === undefined ? message : `${message}: ${why}`, next);
}
