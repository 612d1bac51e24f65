import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";

const root = join(import.meta.dirname, "../..");
const scratch = mkdtempSync(join(tmpdir(), "comeback-package-"));
const installed = join(scratch, "installed");
const home = join(installed, "node_modules/comeback");

after(() => rmSync(scratch, { recursive: true }));

/** Runs a program with nothing of the checkout around it but this Node, found through PATH. */
function run(program: string, args: readonly string[], cwd: string = installed): string {
  const PATH = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const env = { PATH, HOME: join(scratch, "home"), COMEBACK_PASSWORD: "package test" };
  return execFileSync(program, args, { cwd, env, encoding: "utf8", maxBuffer: 64 << 20 });
}

function comeback(...args: readonly string[]): string {
  return run(join(installed, "node_modules/.bin/comeback"), args);
}

// Builds, packs, and installs the tarball into an empty folder, as a user would.
before(() => {
  mkdirSync(installed);
  mkdirSync(join(scratch, "home"));
  execFileSync(process.execPath, [join(root, "scripts/build.ts")], { cwd: root });
  const packing = ["pack", "--silent", "--pack-destination", scratch];
  execFileSync("npm", packing, { cwd: join(root, "dist/comeback") });
  const [tarball = ""] = globSync("comeback-*.tgz", { cwd: scratch });
  writeFileSync(join(installed, "package.json"), '{ "private": true }\n');
  // npm's own environment stays: its cache already holds what the package depends on.
  const installing = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  execFileSync("npm", [...installing, join(scratch, tarball)], { cwd: installed });
});

test("the package holds plain JavaScript that names none of our private packages", () => {
  const files = globSync("**/*", { cwd: home, exclude: ["node_modules/**"] })
    .filter((name) => statSync(join(home, name)).isFile())
    .toSorted();
  const expected = ["CHANGELOG.md", "LICENSE", "README.md", "bin/comeback", "package.json"];
  for (const name of [...expected, "dist/library.js", "dist/main.js", "dist/worker.js"]) {
    assert.ok(files.includes(name), `${name} is missing`);
  }
  const sources = files.filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
  assert.deepEqual(sources, []);
  for (const name of files.filter((file) => /\.(js|d\.ts)$/.test(file))) {
    assert.doesNotMatch(readFileSync(join(home, name), "utf8"), /from "@comeback\//, name);
  }
  const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as object;
  assert.equal("scripts" in manifest, false);
});

test("init, backup, check and restore with the installed package", () => {
  const source = join(scratch, "source");
  mkdirSync(join(source, "folder"), { recursive: true });
  // Several megabytes that hardly repeat: more than one chunk, so that the worker's code is used.
  const large = Buffer.alloc(5 << 20);
  for (let i = 0, state = 1; i < large.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    large[i] = state >>> 24;
  }
  writeFileSync(join(source, "folder/large"), large);
  writeFileSync(join(source, "small"), "small\n", { mode: 0o640 });
  writeFileSync(join(source, "empty"), "");
  symlinkSync("folder/large", join(source, "link"));
  utimesSync(join(source, "small"), 1_000_000_000, 1_000_000_000);

  const repository = join(scratch, "repository");
  comeback("-r", repository, "init");
  comeback("-r", repository, "backup", source);
  comeback("-r", repository, "check", "--read-data");
  const target = join(scratch, "target");
  comeback("-r", repository, "restore", `latest:${source}`, "--target", target);

  run("diff", ["--recursive", "--no-dereference", source, target]);
  const small = statSync(join(target, "small"));
  assert.equal(small.mode & 0o777, 0o640);
  assert.equal(small.mtimeMs, 1_000_000_000_000);
});

test("the library's example runs with the installed package, and with its types", () => {
  const example = readFileSync(join(root, "packages/cli/examples/round-trip.ts"), "utf8");
  writeFileSync(join(installed, "example.mts"), example.replace('"@comeback/cli"', '"comeback"'));
  const options = ["--strict", "--noEmit", "--target", "esnext", "--module", "nodenext"];
  const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
  run(join(root, "node_modules/.bin/tsc"), [...options, ...types, "example.mts"]);

  const folder = join(scratch, "example");
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "hello\n");
  const target = join(scratch, "example-target");
  const output = run("node", ["example.mts", folder, join(scratch, "library"), target]);
  assert.match(output, /^saved 1 files, 0 problems\n/);
  assert.match(output, /\nrestored, 0 problems\n/);
  assert.equal(readFileSync(join(target, folder, "file"), "utf8"), "hello\n");
});
