import { ComebackError } from "@comeback/core";

/** A value that makes no sense for its option; `accepted` names the forms that do. */
export function badValue(option: string, value: string, accepted: string): ComebackError {
  return new ComebackError("option.invalid", `${option} cannot be ${JSON.stringify(value)}`, {
    next: `accepted: ${accepted}`,
  });
}

/** Options or arguments that do not go together, or lack one another. */
export function badUsage(what: string, next: string): ComebackError {
  return new ComebackError("option.invalid", what, { next });
}
