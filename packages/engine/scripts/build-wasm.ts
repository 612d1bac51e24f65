/**
 * Compiles the hot loops that are written in AssemblyScript to WebAssembly, and writes them, as
 * text, into the source files that load them: so nothing has to be found on disk at run time,
 * bundled or not.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface WasmModule {
  /** Below src. */
  readonly source: string;
  readonly target: string;
  readonly constant: string;
  readonly options: readonly string[];
}

const OPTIONS: readonly string[] = ["-O3", "--runtime", "stub", "--noAssert", "--importMemory"];

export const RABIN: WasmModule = {
  source: "chunker/assembly/rabin.ts",
  target: "chunker/rabin-wasm.ts",
  constant: "RABIN_WASM_BASE64",
  options: OPTIONS,
};

export const RO_MIX: WasmModule = {
  source: "crypto/assembly/ro-mix.ts",
  target: "crypto/ro-mix-wasm.ts",
  constant: "RO_MIX_WASM_BASE64",
  options: [...OPTIONS, "--enable", "simd"],
};

const path = (name: string): string => fileURLToPath(new URL(`../src/${name}`, import.meta.url));

/** The module's bytes, the same ones for the same source and compiler. */
export function compile(module: WasmModule): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "comeback-wasm-"));
  try {
    const outFile = join(folder, "module.wasm");
    const compiler = fileURLToPath(import.meta.resolve("assemblyscript/bin/asc.js"));
    const args = [compiler, path(module.source), ...module.options, "--outFile", outFile];
    execFileSync(process.execPath, args);
    return readFileSync(outFile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The text of the source file that holds the module. */
function sourceText({ source, constant }: WasmModule, wasm: Buffer): string {
  const lines = wasm.toString("base64").match(/.{1,92}/g) ?? [];
  const name = source.slice(source.indexOf("/") + 1);
  return `/** Made by \`npm run build:wasm\` from ${name}; the tests compare the two. */
export const ${constant}: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
}

if (import.meta.main) {
  for (const module of [RABIN, RO_MIX]) {
    writeFileSync(path(module.target), sourceText(module, compile(module)));
  }
}
