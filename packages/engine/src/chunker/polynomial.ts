import { damaged, type Random } from "@comeback/core";

/**
 * Polynomials over GF(2) as bit sets: bit i is the coefficient of x^i. A repository's chunker
 * divides by an irreducible one of degree 53 (restic design, "Content Defined Chunking"); because
 * each repository draws its own, cut points do not betray which well-known files are in it.
 */
export const POLYNOMIAL_DEGREE = 53;

/** About every 53rd candidate is irreducible, so this many failures mean a broken random source. */
const CANDIDATES_MAX = 10_000;

/** The degree; -1 for the zero polynomial. */
export function degree(polynomial: bigint): number {
  return polynomial === 0n ? -1 : polynomial.toString(2).length - 1;
}

export function remainder(dividend: bigint, divisor: bigint): bigint {
  const divisorDegree = degree(divisor);
  let rest = dividend;
  for (let by = degree(rest) - divisorDegree; by >= 0; by = degree(rest) - divisorDegree) {
    rest ^= divisor << BigInt(by);
  }
  return rest;
}

export function product(a: bigint, b: bigint): bigint {
  let result = 0n;
  for (let shifted = a, factor = b; factor > 0n; factor >>= 1n, shifted <<= 1n) {
    if ((factor & 1n) === 1n) result ^= shifted;
  }
  return result;
}

export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let larger = a;
  let smaller = b;
  while (smaller !== 0n) [larger, smaller] = [smaller, remainder(larger, smaller)];
  return larger;
}

/**
 * Ben-Or's test: a polynomial of degree n is irreducible where none of x^(2^i) - x, for i up to
 * n/2, shares a factor with it, for these hold all irreducible polynomials of degree i.
 */
export function isIrreducible(polynomial: bigint): boolean {
  const x = 0b10n;
  let power = x;
  for (let i = 1; i <= degree(polynomial) / 2; i++) {
    power = remainder(product(power, power), polynomial);
    if (greatestCommonDivisor(polynomial, power ^ x) !== 1n) return false;
  }
  return polynomial > 1n;
}

/** A new irreducible polynomial for a repository, as restic draws it. */
export function randomPolynomial(random: Random): bigint {
  const topAndLowest = (1n << BigInt(POLYNOMIAL_DEGREE)) | 1n;
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < CANDIDATES_MAX; i++) {
    random.fill(bytes);
    const candidate = BigInt.asUintN(POLYNOMIAL_DEGREE, view.getBigUint64(0, true)) | topAndLowest;
    if (isIrreducible(candidate)) return candidate;
  }
  throw new Error("the random source gave no irreducible polynomial");
}

/** How a config file holds it: hex digits without a prefix. */
export function formatPolynomial(polynomial: bigint): string {
  return polynomial.toString(16);
}

/** Reads a config file's polynomial, and makes sure that it is one that can be used. */
export function parsePolynomial(text: string): bigint {
  const polynomial = /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : 0n;
  if (degree(polynomial) !== POLYNOMIAL_DEGREE || !isIrreducible(polynomial)) {
    throw damaged("the repository's config", "its chunker polynomial is not one");
  }
  return polynomial;
}
