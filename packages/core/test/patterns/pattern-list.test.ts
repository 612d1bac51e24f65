import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteStringFromText, cleanPath, isComebackError, PatternList } from "../../src/index.ts";

const list = (patterns: readonly string[], ignoreCase = false): PatternList =>
  new PatternList(patterns.map(byteStringFromText), { option: "--exclude", ignoreCase });
const path = (text: string): string => byteStringFromText(text);

/** Pattern, path, whether it matches. */
const MATCHES: readonly (readonly [string, string, boolean])[] = [
  ["*.txt", "/srv/data/readme.txt", true],
  ["*.doc", "/srv/data/readme.txt", false],
  ["*", "/srv/data/readme.txt", true],
  ["**", "/srv/data/readme.txt", true],
  ["srv*", "/srv/data/readme.txt", true],
  ["data*", "/srv/data/readme.txt", true],
  ["/data*", "/srv/data/readme.txt", false],
  ["data/*", "/srv/data/readme.txt", true],
  ["date/*", "/srv/data/readme.txt", false],
  ["da*/*.txt", "/srv/data/readme.txt", true],
  ["readme.*", "/srv/data/readme.txt", true],
  ["Readme.*", "/srv/data/readme.txt", false],
  ["data", "/srv/data", true],
  ["/srv/data", "/srv/data", true],
  ["/srv/data/", "/srv/data", true],
  ["/srv/data", "/srv/date", false],
  ["/srv///data", "/srv/data", true],
  ["/srv/../data", "/srv/data", false],
  ["/srv/../data", "/data", true],
  ["/srv", "/srv/data", true],
  ["/srv/", "/srv/data", true],
  ["/srv/*", "/srv", false],
  ["/srv/*", "/srv/data", true],
  ["/*", "/srv/data", true],
  ["/", "/srv", true],
  ["data", "/srv/data/below", true],
  ["/srv/*read*", "/srv/data/readme.txt", false],
  ["/srv/*/read*", "/srv/data/readme.txt", true],
  ["/srv/*/data/read*", "/srv/data/readme.txt", false],
  ["/*/*/deep/read*", "/srv/data/readme.txt", false],
  ["/*/*/deep/read*", "/srv/data/deep/readme.txt", true],
  ["src", "/home/me/src/a/b.c", true],
  ["src/*/x/*/*v*.html", "/usr/share/src/docs/x/ref/a.html", false],
  ["a/**/z/*.c", "/home/u/a/p/q/z/m.c", true],
  ["a/**/z/*.c", "/home/u/a/z/m.c", true],
  ["a/**/z/*.c", "/a/z/m.c", true],
  ["a/**/z/*.c", "/home/u/a/m.c", false],
  ["a/**/z/*.c", "/z/a/m.c", false],
  ["a/**/z", "/home/u/a/p/q/z/below", true],
  ["a/**/b/**/c", "/home/a/b/c", true],
  ["a/**/b/**/c", "/home/a/1/2/b/3/4/c", true],
  ["a/**", "/home/a", true],
  ["**/a", "/a", true],
  ["/**", "/a/b", true],
  // Two wildcards of a rooted pattern need as many components as the pattern has, less one.
  ["/home/**/cache/**", "/home/u/cache", false],
  ["/home/**/cache/**", "/home/cache", false],
  ["/home/**/cache/**", "/home/u/cache/x", true],
  ["[ab]c", "/bc", true],
  ["[^ab]c", "/bc", false],
  ["[a-c][!x]", "/b!", true],
  ["a[!b]", "/ac", false],
  ["\\*", "/*", true],
  ["\\*", "/a", false],
  ["a?c", "/abc", true],
  ["a?c", "/aäc", true],
  ["a??c", "/aäc", false],
  ["[ä-ö]", "/é", true],
  ["*ä*", "/xäy", true],
  ["a*b*c", "/a1b2b3c", true],
  ["a*b*c", "/a1c2b", false],
  [".", "/a", false],
];

test("patterns match as restic's do", () => {
  for (const [pattern, name, expected] of MATCHES) {
    assert.equal(list([pattern]).matches(path(name)), expected, `${pattern} on ${name}`);
  }
});

/** Patterns, path, matched, something below may match. */
const LISTS: readonly (readonly [readonly string[], string, boolean, boolean])[] = [
  [[], "/a/b", false, false],
  [[""], "/a/b", false, false],
  [["*.go"], "/a/b.go", true, true],
  [["*.go"], "/a/b", false, true],
  [["/a/b"], "/a", false, true],
  [["/a/b"], "/c", false, false],
  [["/a/*/c"], "/a/x", false, true],
  [["/a/*/c"], "/a/x/y", false, false],
  [["/a/**/c"], "/a/x/y/z", false, true],
  [["/a/**"], "/a/x", true, true],
  [["/*/*/x", "*.go"], "/a/b.go", true, true],
  [["", "*.c"], "/a/b.go", false, true],
  [["*", "!*.txt"], "/a.txt", false, false],
  [["*", "!*.txt"], "/a.doc", true, true],
  [["*", "!*.txt", "a.*"], "/a.txt", true, true],
  [["!*.txt"], "/a.txt", false, false],
  [["/a/*", "!/a/b"], "/a/b/c", false, false],
  [["/a/*", "!/a/b", "c"], "/a/b/c", true, true],
];

test("lists add in order, take back with a bang, and tell what may come below", () => {
  for (const [patterns, name, matched, below] of LISTS) {
    const each = list(patterns);
    assert.equal(each.matches(path(name)), matched, `${patterns.join(" ")} on ${name}`);
    assert.deepEqual(
      each.matchesOrBelow(path(name)),
      { matched, below },
      `${patterns.join(" ")} on ${name}`,
    );
  }
});

test("case is ignored where asked for, character by character", () => {
  const patterns = ["*.JPG", "Straße", "ΑΣ", "İ"];
  for (const name of ["/a/B.jpg", "/a/b.Jpg", "/sTRAßE", "/ασ", "/ΑΣ", "/i"]) {
    assert.equal(list(patterns, true).matches(path(name)), true, name);
  }
  assert.equal(list(patterns).matches("/a/B.jpg"), false);
  assert.equal(list(patterns, true).matches(path("/strasse")), false);
  // Bytes that are not UTF-8 become the replacement character, on both sides.
  assert.equal(list(["\xff.x"], true).matches("/\xfe.X"), false);
  const raw = new PatternList(["A\xff"], { option: "", ignoreCase: true });
  assert.equal(raw.matches("/a\xfe"), true);
  assert.equal(raw.inFolder("/")?.("a\xfe"), true);
});

test("bad patterns are all named at once", () => {
  assert.throws(
    () => list(["ok", "a[", "x/[]", "[a-", "**/[b-]", "y\\", "[\\"]),
    (error) => {
      assert.ok(isComebackError(error, "option.invalid"));
      assert.equal(error.message, "--exclude: not a valid pattern");
      assert.equal(error.why, '"a[", "x/[]", "[a-", "**/[b-]", "y\\\\", "[\\\\"');
      return true;
    },
  );
  assert.throws(() => list(["!a[-]"]), /not a valid pattern/);
  assert.throws(() => new PatternList(["[\xff]"], { option: "x" }), /not a valid pattern/);
});

test("property: the list for a folder's names agrees with the list for whole paths", () => {
  const component = fc.constantFrom("a", "b", "ab", "ba", "A", "x.y", "*", "[ab]", "?", "a*", "*b");
  const part = fc.oneof(
    { arbitrary: component, weight: 4 },
    { arbitrary: fc.constant("**"), weight: 1 },
  );
  const pattern = fc
    .tuple(fc.boolean(), fc.boolean(), fc.array(part, { minLength: 1, maxLength: 5 }))
    .map(([bang, rooted, parts]) => `${bang ? "!" : ""}${rooted ? "/" : ""}${parts.join("/")}`);
  const name = fc.constantFrom("a", "b", "ab", "ba", "A", "x.y", "abb");
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 5 }),
      fc.array(name, { maxLength: 5 }),
      name,
      fc.boolean(),
      (patterns, folder, entry, ignoreCase) => {
        const each = list(patterns, ignoreCase);
        const folderPath = `/${folder.join("/")}`;
        const hasNegation = patterns.some((text) => text.startsWith("!"));
        // Without negation nobody lists a folder that is matched itself.
        fc.pre(hasNegation || !each.matches(folderPath));
        const whole = each.matches(cleanPath(`${folderPath}/${entry}`));
        assert.equal(each.inFolder(folderPath)?.(entry) ?? false, whole);
      },
    ),
    { numRuns: 3000 },
  );
});
