import { readFile } from "node:fs/promises";
import { type ByteString, ComebackError, PatternList, patternsOfFile } from "@comeback/core";
import { bytesOfArgument } from "./argument-bytes.ts";

/** The four ways to give patterns: on the command line or in files, as they are or in any case. */
export interface PatternFlags {
  readonly patterns: readonly string[];
  readonly files: readonly string[];
  readonly ignoreCasePatterns: readonly string[];
  readonly ignoreCaseFiles: readonly string[];
}

/** The pattern lists that are not empty, for `--<word>` and `--i<word>`. */
export async function readPatternLists(
  word: "include" | "exclude",
  flags: PatternFlags,
  env: NodeJS.ProcessEnv,
): Promise<PatternList[]> {
  const plain = await readPatterns(`--${word}-file`, flags.patterns, flags.files, env);
  const anyCase = await readPatterns(
    `--i${word}-file`,
    flags.ignoreCasePatterns,
    flags.ignoreCaseFiles,
    env,
  );
  return [
    new PatternList(plain, { option: `--${word}` }),
    new PatternList(anyCase, { option: `--i${word}`, ignoreCase: true }),
  ].filter((list) => !list.isEmpty);
}

async function readPatterns(
  fileOption: string,
  given: readonly string[],
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ByteString[]> {
  const patterns = given.map(bytesOfArgument);
  for (const path of files) {
    try {
      patterns.push(...patternsOfFile(await readFile(path), env));
    } catch (cause) {
      throw new ComebackError("option.invalid", `the pattern file ${path} cannot be read`, {
        next: `check ${fileOption}`,
        cause,
      });
    }
  }
  return patterns;
}
