import { Buffer } from "node:buffer";
import { RABIN_WASM_BASE64 } from "./rabin-wasm.ts";

/** What we use of WebAssembly, whose types TypeScript keeps with those of browsers. */
type WebAssemblyApi = {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** The functions of assembly/rabin.ts. */
type RabinExports = {
  prepare(polynomial: bigint): void;
  firstCut(from: number, end: number, maskBits: number): number;
};

const WASM_PAGE_BYTES = 65_536;
/** Where the input begins in the module's memory: behind its tables. */
const INPUT_ADDRESS = 4096;

let compiled: object | undefined;

/** One instance of the chunker's hot loop, with a memory of its own. */
export class RabinModule {
  readonly input: Uint8Array;
  readonly #exports: RabinExports;

  constructor(polynomial: bigint, inputBytes: number) {
    const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
    compiled ??= new WebAssembly.Module(Buffer.from(RABIN_WASM_BASE64, "base64"));
    const pages = Math.ceil((INPUT_ADDRESS + inputBytes) / WASM_PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(compiled, { env: { memory } });
    this.#exports = instance.exports as RabinExports;
    this.#exports.prepare(polynomial);
    this.input = new Uint8Array(memory.buffer, INPUT_ADDRESS, inputBytes);
  }

  /**
   * The first place in [from, end] of the input at which a chunk may end, or -1: the fingerprint
   * of the 64 bytes before it has all mask bits clear.
   */
  firstCut(from: number, end: number, maskBits: number): number {
    const address = this.#exports.firstCut(INPUT_ADDRESS + from, INPUT_ADDRESS + end, maskBits);
    return address === 0 ? -1 : address - INPUT_ADDRESS;
  }
}
