import { BRING_BACK, ComebackError, damaged, ExitCode } from "@comeback/core";
import type { BoxCipher } from "../crypto/box.ts";
import { isId } from "../index/blob-table.ts";

/** The file `config` (restic design, "Config"). Unknown keys are other programs' and are kept. */
export interface RepositoryConfig {
  readonly version: 1 | 2;
  readonly id: string;
  /** An irreducible polynomial of degree 53. */
  readonly chunkerPolynomial: bigint;
  /** The JSON as it was read, for keys that we do not know. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export function encodeConfig(config: RepositoryConfig, cipher: BoxCipher): Uint8Array {
  const json = JSON.stringify({
    ...config.raw,
    version: config.version,
    id: config.id,
    chunker_polynomial: config.chunkerPolynomial.toString(16),
  });
  return cipher.seal(Buffer.from(json));
}

export function decodeConfig(stored: Uint8Array, cipher: BoxCipher): RepositoryConfig {
  const bad = (why: string, cause?: unknown): ComebackError =>
    damaged("the repository's config file", why, cause, BRING_BACK);
  const json = cipher.open(stored);
  if (json === undefined) throw bad("its authentication code does not hold");
  let raw: Record<string, unknown> | null;
  try {
    raw = JSON.parse(Buffer.from(json).toString("utf8"));
  } catch (cause) {
    throw bad("it is not JSON", cause);
  }
  const version = raw?.["version"];
  if (raw === null || typeof raw !== "object" || !Number.isInteger(version)) {
    throw bad("it has no version");
  }
  if (version !== 1 && version !== 2) {
    throw new ComebackError(
      "repository.unknown-version",
      `this repository has format version ${String(version)}, and Comeback knows 1 and 2`,
      { next: "use a newer version of Comeback", exitCode: ExitCode.failed },
    );
  }
  const { id, chunker_polynomial: polynomial } = raw;
  if (!isId(id)) throw bad("its id is not 64 hex digits");
  if (typeof polynomial !== "string" || !/^[0-9a-f]{1,16}$/.test(polynomial)) {
    throw bad("its chunker polynomial is not a hex number");
  }
  const chunkerPolynomial = BigInt(`0x${polynomial}`);
  if (chunkerPolynomial >> 53n !== 1n) {
    throw bad("its chunker polynomial does not have degree 53");
  }
  return { version, id, chunkerPolynomial, raw };
}
