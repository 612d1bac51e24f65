import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOfArgument, decodeArgument } from "../../src/options/argument-bytes.ts";

test("every argument's bytes survive their way through text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      const text = decodeArgument(Buffer.from(bytes));
      assert.equal(bytesOfArgument(text), Buffer.from(bytes).toString("latin1"));
    }),
  );
});

test("valid text stays itself", () => {
  for (const text of ["plain", "größe", "大 🎉", ""]) {
    assert.equal(decodeArgument(Buffer.from(text)), text);
    assert.equal(bytesOfArgument(text), Buffer.from(text).toString("latin1"));
  }
});

test("a process sees the exact bytes that it was started with", () => {
  const module = new URL("../../src/options/argument-bytes.ts", import.meta.url).href;
  const program = `import { bytesOfArgument, exactArguments } from ${JSON.stringify(module)};
    console.log(JSON.stringify(exactArguments(process.argv.slice(1)).map(bytesOfArgument)));`;
  const node = JSON.stringify(process.execPath);
  // A shell makes the argument: Node's own child processes take text only.
  const script = `exec ${node} --input-type=module -e '${program}' -- plain "$(printf 'caf\\351')" ä`;
  const output = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(output), ["plain", "caf\xe9", "\xc3\xa4"]);
});
