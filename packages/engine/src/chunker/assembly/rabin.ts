// The hot loop of the chunker, in AssemblyScript (`npm run build:wasm` in packages/engine).
//
// A Rabin fingerprint here is the remainder of the last 64 bytes, read as a polynomial over GF(2),
// modulo the repository's polynomial of degree 53. It depends on nothing but these 64 bytes, so
// - the byte that leaves the window is read from the input itself, no ring buffer is needed;
// - a scan may begin anywhere, 64 bytes earlier;
// - four places can be scanned at once: within one fingerprint each step waits for the one
//   before, with four of them the processor always has something to do.
//
// The caller owns the memory: two tables of 2 KiB each from address 0 on, then the input.

const DEGREE: u64 = 53;
const WINDOW: usize = 64;

/** mod: for the eight bits above the degree, what takes them away and adds their remainder. */
const MOD_TABLE: usize = 0;
/** out: a byte's share in the fingerprint once 64 more bytes have come behind it. */
const OUT_TABLE: usize = 2048;

/** Positions that each of the four lanes scans in a round. */
const LANE: usize = 8192;

/** byte * x^shift modulo the polynomial. */
function shifted(byte: u64, shift: i32, polynomial: u64): u64 {
  let value = byte;
  for (let i = 0; i < shift; i++) {
    value <<= 1;
    if (value >> DEGREE) value ^= polynomial;
  }
  return value;
}

/** Fills the tables for a polynomial of degree 53. */
export function prepare(polynomial: u64): void {
  for (let byte: u64 = 0; byte < 256; byte++) {
    const place = (<usize>byte) << 3;
    const modulo = shifted(byte, <i32>DEGREE, polynomial);
    store<u64>(MOD_TABLE + place, modulo | (byte << DEGREE));
    store<u64>(OUT_TABLE + place, shifted(byte, 8 * <i32>WINDOW, polynomial));
  }
}

function append(digest: u64, byte: u64): u64 {
  return ((digest << 8) | byte) ^ load<u64>(MOD_TABLE + ((<usize>(digest >> (DEGREE - 8))) << 3));
}

/** The fingerprint one byte further on: `at` is the address of the byte that comes in. */
function slide(digest: u64, at: usize): u64 {
  return (
    append(digest, load<u8>(at)) ^ load<u64>(OUT_TABLE + ((<usize>load<u8>(at - WINDOW)) << 3))
  );
}

/** The fingerprint of the 64 bytes before `end`. */
function fingerprint(end: usize): u64 {
  let digest: u64 = 0;
  for (let at = end - WINDOW; at < end; at++) digest = append(digest, load<u8>(at));
  return digest;
}

/** The first position in (from, end] whose fingerprint has all mask bits clear, or 0. */
function scan(from: usize, end: usize, digest: u64, mask: u64): usize {
  for (let at = from; at < end; at++) {
    digest = slide(digest, at);
    if ((digest & mask) == 0) return at + 1;
  }
  return 0;
}

/**
 * The first position in [from, end] at which a chunk may end, as an address: all mask bits of the
 * fingerprint of the 64 bytes before it are clear. 0 where there is none.
 */
export function firstCut(from: usize, end: usize, maskBits: u32): usize {
  const mask = <u64>maskBits;
  let digest0 = fingerprint(from);
  if ((digest0 & mask) == 0) return from;

  let at = from;
  while (at + 4 * LANE <= end) {
    const lane1 = at + LANE;
    let digest1 = fingerprint(lane1);
    let digest2 = fingerprint(lane1 + LANE);
    let digest3 = fingerprint(lane1 + 2 * LANE);
    while (at < lane1) {
      digest0 = slide(digest0, at);
      digest1 = slide(digest1, at + LANE);
      digest2 = slide(digest2, at + 2 * LANE);
      digest3 = slide(digest3, at + 3 * LANE);
      at++;
      if ((digest0 & mask) == 0) return at;
      // A lane that has found a position is only the first where no lane before it finds one.
      if ((digest1 & mask) == 0) {
        const before = scan(at, lane1, digest0, mask);
        return before ? before : at + LANE;
      }
      if ((digest2 & mask) == 0) {
        let before = scan(at, lane1, digest0, mask);
        if (!before) before = scan(at + LANE, lane1 + LANE, digest1, mask);
        return before ? before : at + 2 * LANE;
      }
      if ((digest3 & mask) == 0) {
        let before = scan(at, lane1, digest0, mask);
        if (!before) before = scan(at + LANE, lane1 + LANE, digest1, mask);
        if (!before) before = scan(at + 2 * LANE, lane1 + 2 * LANE, digest2, mask);
        return before ? before : at + 3 * LANE;
      }
    }
    at += 3 * LANE;
    digest0 = digest3;
  }
  return scan(at, end, digest0, mask);
}
