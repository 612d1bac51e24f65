/**
 * Compiles the chunker's hot loop to WebAssembly and writes it, as text, into the source file that
 * the chunker loads it from: so nothing has to be found on disk at run time, bundled or not.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../src/chunker/assembly/rabin.ts", import.meta.url));
const target = fileURLToPath(new URL("../src/chunker/rabin-wasm.ts", import.meta.url));

/** The module's bytes, the same ones for the same source and compiler. */
export function compileRabin(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "comeback-wasm-"));
  try {
    const outFile = join(folder, "rabin.wasm");
    const compiler = fileURLToPath(import.meta.resolve("assemblyscript/bin/asc.js"));
    const options = ["-O3", "--runtime", "stub", "--noAssert", "--importMemory"];
    execFileSync(process.execPath, [compiler, source, ...options, "--outFile", outFile]);
    return readFileSync(outFile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The text of `src/chunker/rabin-wasm.ts`. */
export function rabinSource(wasm: Buffer): string {
  const lines = wasm.toString("base64").match(/.{1,92}/g) ?? [];
  return `/** Made by \`npm run build:wasm\` from assembly/rabin.ts; the tests compare the two. */
export const RABIN_WASM_BASE64: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
}

if (import.meta.main) writeFileSync(target, rabinSource(compileRabin()));
