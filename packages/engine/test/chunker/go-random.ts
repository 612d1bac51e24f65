/**
 * Go's `math/rand` generator (`rand.New(rand.NewSource(seed)).Uint32()`), in which restic's
 * published chunker vectors are written: an additive lagged Fibonacci generator,
 * y[n] = y[n-607] + y[n-273] modulo 2^64, whose start is mixed with the state of the same generator
 * after 7.8e12 steps. We jump there instead of keeping its 607 numbers.
 */
const LENGTH = 607;
const TAP = 273;
const STEPS = 7_800_000_000_000n;
const SEED_MODULUS = 2 ** 31 - 1;

function* parkMiller(seed: number): Generator<bigint, never> {
  for (let x = seed; ;) {
    x = Number((BigInt(x) * 48_271n) % BigInt(SEED_MODULUS));
    yield BigInt(x);
  }
}

/** The 607 first numbers for a seed; each is made of three draws, `shift` bits apart. */
function startVector(seed: number, shift: bigint): bigint[] {
  const draws = parkMiller(seed);
  for (let i = 0; i < 20; i++) draws.next();
  return Array.from({ length: LENGTH }, () => {
    const [a, b, c] = [draws.next().value, draws.next().value, draws.next().value];
    return BigInt.asUintN(64, (a << (2n * shift)) ^ (b << shift) ^ c);
  });
}

/** Bits for one coefficient of a squared polynomial: 607 products of two 64-bit numbers. */
const SLOT_BITS = 144;
const SLOT_DIGITS = SLOT_BITS / 4;

/** All coefficients of a polynomial in one number, so that one multiplication squares it. */
function pack(coefficients: readonly bigint[]): bigint {
  const digits = coefficients.map((value) => value.toString(16).padStart(SLOT_DIGITS, "0"));
  return BigInt(`0x${digits.toReversed().join("")}`);
}

function unpack(packed: bigint, length: number): bigint[] {
  const digits = packed.toString(16).padStart(length * SLOT_DIGITS, "0");
  return Array.from({ length }, (_, i) => {
    const end = digits.length - i * SLOT_DIGITS;
    return BigInt.asUintN(64, BigInt(`0x${digits.slice(end - SLOT_DIGITS, end)}`));
  });
}

/** The remainder modulo x^607 = x^334 + 1, the generator's own polynomial. */
function reduce(coefficients: bigint[]): bigint[] {
  for (let i = coefficients.length - 1; i >= LENGTH; i--) {
    const value = coefficients[i]!;
    for (const to of [i - TAP, i - LENGTH]) {
      coefficients[to] = BigInt.asUintN(64, coefficients[to]! + value);
    }
  }
  return coefficients.slice(0, LENGTH);
}

/** x^exponent modulo the generator's polynomial. */
function powerOfX(exponent: bigint): bigint[] {
  let result: bigint[] = Array.from({ length: LENGTH }, (_, i) => (i === 0 ? 1n : 0n));
  for (const bit of exponent.toString(2)) {
    result = reduce(unpack(pack(result) ** 2n, 2 * LENGTH));
    if (bit === "1") result = reduce([0n, ...result]);
  }
  return result;
}

/** Where Go's array keeps the number of step `step` (0 is the last one of the start vector). */
function place(step: bigint): number {
  const index = (BigInt(LENGTH - TAP) - step) % BigInt(LENGTH);
  return Number((index + BigInt(LENGTH)) % BigInt(LENGTH));
}

/** The state of the generator for seed 1 after 7.8e12 steps, as Go's array holds it. */
function mixedState(): bigint[] {
  const start = startVector(1, 10n);
  const sequence = Array.from({ length: LENGTH }, (_, i) => start[place(BigInt(i - LENGTH + 1))]!);
  let power = powerOfX(STEPS);
  const state = Array.from({ length: LENGTH }, () => 0n);
  for (let i = 0; i < LENGTH; i++) {
    const value = power.reduce((sum, coefficient, at) => sum + coefficient * sequence[at]!, 0n);
    state[place(STEPS - BigInt(LENGTH - 1 - i))] = BigInt.asUintN(64, value);
    power = reduce([0n, ...power]);
  }
  return state;
}

/** `size` bytes as restic's tests draw them: 32-bit numbers, little-endian. */
export function goRandomBytes(seed: number, size: number): Uint8Array {
  const mixed = mixedState();
  const start = startVector(seed, 20n);
  const state = new BigUint64Array(start.map((value, i) => value ^ mixed[i]!));
  const numbers = new Uint32Array(size / 4);
  let tap = 0;
  let feed = LENGTH - TAP;
  for (let i = 0; i < numbers.length; i++) {
    tap = tap === 0 ? LENGTH - 1 : tap - 1;
    feed = feed === 0 ? LENGTH - 1 : feed - 1;
    const value = BigInt.asUintN(64, state[feed]! + state[tap]!);
    state[feed] = value;
    // Int63 drops the highest bit, Uint32 then takes the next 32.
    numbers[i] = Number((value >> 31n) & 0xffff_ffffn);
  }
  return new Uint8Array(numbers.buffer);
}
