import { ComebackError, type ErrorCode, messageOf } from "@comeback/core";

/** A backend does not do what the contract of `Backend` in core says. */
export class ContractBreach extends Error {
  override readonly name: string = "ContractBreach";
}

export function expect(holds: boolean, breach: string): asserts holds {
  if (!holds) throw new ContractBreach(breach);
}

/** Compares without printing megabytes where it fails. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  expect(
    actual.byteLength === expected.byteLength,
    `${what} has ${actual.byteLength} bytes instead of ${expected.byteLength}`,
  );
  expect(Buffer.compare(actual, expected) === 0, `${what} has other bytes than were saved`);
}

/** The call has to be refused with this code; a failure of another kind is passed on as it is. */
export async function expectRefusal(
  call: Promise<unknown>,
  code: ErrorCode,
  what: string,
): Promise<void> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error ?? new Error("nothing"),
  );
  expect(outcome !== undefined, `${what} was not refused`);
  if (outcome instanceof ComebackError) {
    if (outcome.code === code) return;
    // A lost connection says nothing about the contract.
    if (outcome.retryable) throw outcome;
  }
  throw new ContractBreach(`${what} was refused with another error: ${messageOf(outcome)}`);
}
