import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import fc from "fast-check";
import { isComebackError } from "@comeback/core";
import { load, ScratchFolder, VALID } from "./scratch.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const EXAMPLE = readFileSync(
  new URL("../../../../docs/reference/comeback.example.yaml", import.meta.url),
  "utf8",
);

/** Pieces of YAML that mean something, and some that never should. */
const PIECES = [
  ..."{}[]:,&*!|>#'\"%@`~?-\n \t\r\u0000\u2028\ufeff",
  "\n  ",
  "<<: *x",
  "&x ",
  "*x",
  "!!binary ",
  "!!set {a}",
  "? [a]\n: b\n",
  "---\n",
  "...\n",
  "__proto__: 1",
  "constructor",
  "null",
  ".inf",
  "0x1F",
  "1e999",
  "-1",
  "💾",
  "\ud800",
  "plans",
  "destinations",
  "include: .",
  "include: '[!'",
];

const edit = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat({ max: 12 }),
  added: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 }), fc.constant("")),
});

/** Either it can be used, or it is refused with places that are in the file. */
async function assertLoadsOrIsRefused(text: string): Promise<void> {
  const path = scratch.write("comeback.yaml", text);
  try {
    await load(path);
  } catch (error) {
    assert.ok(isComebackError(error, "configuration.invalid"), String(error));
    assert.ok(error.problems.length > 0);
    const lines = readFileSync(path, "utf8").split("\n");
    for (const { file, line, column, message, excerpt } of error.problems) {
      assert.equal(file, path);
      assert.ok(message.length > 0 && !message.includes("[object"), message);
      assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
      assert.ok(column >= 1 && column <= lines[line - 1]!.length + 1, `column ${column}`);
      assert.ok(
        excerpt !== undefined && excerpt.start <= excerpt.text.length && excerpt.length > 0,
      );
    }
  }
}

for (const [name, text] of [
  ["the example", EXAMPLE],
  ["a short one", VALID],
] as const) {
  test(`any edits of ${name} leave something that loads, or is refused at a place`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let edited = text;
        for (const { place, removed, added } of edits) {
          const at = Math.floor(place * edited.length);
          edited = edited.slice(0, at) + added + edited.slice(at + removed);
        }
        await assertLoadsOrIsRefused(edited);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
}

const SECRET_PLACES = [
  "{ file: /etc/comeback/key }",
  "{ env: CLOUD_PASSWORD }",
  "{ file: /etc/comeback/aws }",
  "{ env: TOKEN }",
];

test("a secret that was written into the file is in no message, whatever else is wrong", async () => {
  const secret = fc.constantFrom(
    "hunter2",
    "'hunter2'",
    '"hunter2',
    "!hunter2",
    "[hunter2]",
    "|hunter2",
  );
  const place = fc.constantFrom(...SECRET_PLACES);
  await fc.assert(
    fc.asyncProperty(
      place,
      secret,
      fc.array(edit, { maxLength: 2 }),
      async (where, what, edits) => {
        const inlined = VALID.replace(where, what);
        let edited = inlined;
        for (const { place: share, removed, added } of edits) {
          const at = Math.floor(share * edited.length);
          edited = edited.slice(0, at) + added + edited.slice(at + removed);
        }
        try {
          await load(scratch.write("comeback.yaml", edited));
        } catch (error) {
          assert.ok(isComebackError(error, "configuration.invalid"));
          assert.ok(!JSON.stringify(error.problems).includes("hunter2"), edited);
        }
      },
    ),
    { numRuns: 400, seed: 5 },
  );
});

test("any value in the place of any other is taken or refused at a place", async () => {
  const value = fc.oneof(
    fc.constantFrom(
      "",
      "x",
      "3",
      "-1",
      "true",
      "[]",
      "{}",
      "[[1]]",
      "{a: {b: c}}",
      '""',
      "~",
      "2m",
    ),
    fc.constantFrom(
      "{env: A}",
      "{file: /x, env: y}",
      "[{}]",
      "{command: []}",
      "{last: 1}",
      "1e400",
    ),
  );
  const starts = [...EXAMPLE.matchAll(/: (?=\S)/g)].map(({ index }) => index + 2);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...starts), value, async (start, given) => {
      const end = EXAMPLE.indexOf("\n", start);
      await assertLoadsOrIsRefused(EXAMPLE.slice(0, start) + given + EXAMPLE.slice(end));
    }),
    { numRuns: 200, seed: 5 },
  );
});
