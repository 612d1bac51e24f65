// The costly part of scrypt (RFC 7914, sections 3 to 5), in AssemblyScript with SIMD (`npm run
// build:wasm`). Two blocks are mixed at once: within one, each step waits for the one before; with
// two of them the processor always has something to do.
//
// A 64-byte word of Salsa20 lies in memory by its diagonals, so that its four vectors take part in
// a quarter round as they are. `permute` brings it there and back.
//
// The caller owns the memory. From address 0 on: the two blocks of 128·r bytes, in and out; a
// block of zeros; two pairs of blocks to mix in; then the two tables of n blocks each.

function rotate(v: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(v, bits), i32x4.shr_u(v, 32 - bits));
}

/** BlockMix of a xor x into the block at `to`, for both pairs (section 4). */
function mix(
  fromA: usize,
  xorA: usize,
  toA: usize,
  fromB: usize,
  xorB: usize,
  toB: usize,
  r: usize,
): void {
  const last: usize = (2 * r - 1) << 6;
  let a0 = v128.xor(v128.load(fromA + last, 0), v128.load(xorA + last, 0));
  let a1 = v128.xor(v128.load(fromA + last, 16), v128.load(xorA + last, 16));
  let a2 = v128.xor(v128.load(fromA + last, 32), v128.load(xorA + last, 32));
  let a3 = v128.xor(v128.load(fromA + last, 48), v128.load(xorA + last, 48));
  let b0 = v128.xor(v128.load(fromB + last, 0), v128.load(xorB + last, 0));
  let b1 = v128.xor(v128.load(fromB + last, 16), v128.load(xorB + last, 16));
  let b2 = v128.xor(v128.load(fromB + last, 32), v128.load(xorB + last, 32));
  let b3 = v128.xor(v128.load(fromB + last, 48), v128.load(xorB + last, 48));
  for (let k: usize = 0; k < 2 * r; k++) {
    const at: usize = k << 6;
    // Even words go to the first half of the result, odd ones to the second.
    const to: usize = ((k >> 1) + (k & 1) * r) << 6;
    a0 = v128.xor(a0, v128.xor(v128.load(fromA + at, 0), v128.load(xorA + at, 0)));
    a1 = v128.xor(a1, v128.xor(v128.load(fromA + at, 16), v128.load(xorA + at, 16)));
    a2 = v128.xor(a2, v128.xor(v128.load(fromA + at, 32), v128.load(xorA + at, 32)));
    a3 = v128.xor(a3, v128.xor(v128.load(fromA + at, 48), v128.load(xorA + at, 48)));
    b0 = v128.xor(b0, v128.xor(v128.load(fromB + at, 0), v128.load(xorB + at, 0)));
    b1 = v128.xor(b1, v128.xor(v128.load(fromB + at, 16), v128.load(xorB + at, 16)));
    b2 = v128.xor(b2, v128.xor(v128.load(fromB + at, 32), v128.load(xorB + at, 32)));
    b3 = v128.xor(b3, v128.xor(v128.load(fromB + at, 48), v128.load(xorB + at, 48)));
    // Kept where the sum goes: the vectors themselves fill all registers.
    v128.store(toA + to, a0, 0);
    v128.store(toA + to, a1, 16);
    v128.store(toA + to, a2, 32);
    v128.store(toA + to, a3, 48);
    v128.store(toB + to, b0, 0);
    v128.store(toB + to, b1, 16);
    v128.store(toB + to, b2, 32);
    v128.store(toB + to, b3, 48);
    // Salsa20/8 (section 3): four double rounds, of columns and of rows.
    for (let i = 0; i < 4; i++) {
      a1 = v128.xor(a1, rotate(i32x4.add(a0, a3), 7));
      b1 = v128.xor(b1, rotate(i32x4.add(b0, b3), 7));
      a2 = v128.xor(a2, rotate(i32x4.add(a1, a0), 9));
      b2 = v128.xor(b2, rotate(i32x4.add(b1, b0), 9));
      a3 = v128.xor(a3, rotate(i32x4.add(a2, a1), 13));
      b3 = v128.xor(b3, rotate(i32x4.add(b2, b1), 13));
      a0 = v128.xor(a0, rotate(i32x4.add(a3, a2), 18));
      b0 = v128.xor(b0, rotate(i32x4.add(b3, b2), 18));
      a1 = v128.shuffle<i32>(a1, a1, 3, 0, 1, 2);
      b1 = v128.shuffle<i32>(b1, b1, 3, 0, 1, 2);
      a2 = v128.shuffle<i32>(a2, a2, 2, 3, 0, 1);
      b2 = v128.shuffle<i32>(b2, b2, 2, 3, 0, 1);
      a3 = v128.shuffle<i32>(a3, a3, 1, 2, 3, 0);
      b3 = v128.shuffle<i32>(b3, b3, 1, 2, 3, 0);
      a3 = v128.xor(a3, rotate(i32x4.add(a0, a1), 7));
      b3 = v128.xor(b3, rotate(i32x4.add(b0, b1), 7));
      a2 = v128.xor(a2, rotate(i32x4.add(a3, a0), 9));
      b2 = v128.xor(b2, rotate(i32x4.add(b3, b0), 9));
      a1 = v128.xor(a1, rotate(i32x4.add(a2, a3), 13));
      b1 = v128.xor(b1, rotate(i32x4.add(b2, b3), 13));
      a0 = v128.xor(a0, rotate(i32x4.add(a1, a2), 18));
      b0 = v128.xor(b0, rotate(i32x4.add(b1, b2), 18));
      a1 = v128.shuffle<i32>(a1, a1, 1, 2, 3, 0);
      b1 = v128.shuffle<i32>(b1, b1, 1, 2, 3, 0);
      a2 = v128.shuffle<i32>(a2, a2, 2, 3, 0, 1);
      b2 = v128.shuffle<i32>(b2, b2, 2, 3, 0, 1);
      a3 = v128.shuffle<i32>(a3, a3, 3, 0, 1, 2);
      b3 = v128.shuffle<i32>(b3, b3, 3, 0, 1, 2);
    }
    a0 = i32x4.add(a0, v128.load(toA + to, 0));
    a1 = i32x4.add(a1, v128.load(toA + to, 16));
    a2 = i32x4.add(a2, v128.load(toA + to, 32));
    a3 = i32x4.add(a3, v128.load(toA + to, 48));
    b0 = i32x4.add(b0, v128.load(toB + to, 0));
    b1 = i32x4.add(b1, v128.load(toB + to, 16));
    b2 = i32x4.add(b2, v128.load(toB + to, 32));
    b3 = i32x4.add(b3, v128.load(toB + to, 48));
    v128.store(toA + to, a0, 0);
    v128.store(toA + to, a1, 16);
    v128.store(toA + to, a2, 32);
    v128.store(toA + to, a3, 48);
    v128.store(toB + to, b0, 0);
    v128.store(toB + to, b1, 16);
    v128.store(toB + to, b2, 32);
    v128.store(toB + to, b3, 48);
  }
}

/** Copies a block of 2·r words; `i * 5 mod 16` walks a word's diagonals. */
function permute(from: usize, to: usize, r: usize, back: bool): void {
  for (let word: usize = 0; word < 2 * r; word++) {
    for (let i: usize = 0; i < 16; i++) {
      const plain: usize = ((word << 4) + ((i * 5) & 15)) << 2;
      const diagonal: usize = ((word << 4) + i) << 2;
      if (back) store<u32>(to + plain, load<u32>(from + diagonal));
      else store<u32>(to + diagonal, load<u32>(from + plain));
    }
  }
}

/** ROMix of the two blocks at the start of the memory (section 5); n is a power of two. */
export function roMix(n: u32, r: u32): void {
  const size: usize = (<usize>r) << 7;
  const zeros: usize = 2 * size;
  const xA: usize = 3 * size;
  const yA: usize = 4 * size;
  const xB: usize = 5 * size;
  const yB: usize = 6 * size;
  const tableA: usize = 7 * size;
  const tableB: usize = tableA + size * n;
  permute(0, tableA, r, false);
  permute(size, tableB, r, false);
  let a: usize = tableA;
  let b: usize = tableB;
  for (let i: u32 = 1; i < n; i++) {
    mix(a, zeros, a + size, b, zeros, b + size, r);
    a += size;
    b += size;
  }
  mix(a, zeros, xA, b, zeros, xB, r);
  const mask: u32 = n - 1;
  const tail: usize = size - 64;
  for (let i: u32 = 0; i < n; i += 2) {
    let fromA: usize = tableA + size * (load<u32>(xA + tail) & mask);
    let fromB: usize = tableB + size * (load<u32>(xB + tail) & mask);
    mix(xA, fromA, yA, xB, fromB, yB, r);
    fromA = tableA + size * (load<u32>(yA + tail) & mask);
    fromB = tableB + size * (load<u32>(yB + tail) & mask);
    mix(yA, fromA, xA, yB, fromB, xB, r);
  }
  permute(xA, 0, r, true);
  permute(xB, size, r, true);
}
