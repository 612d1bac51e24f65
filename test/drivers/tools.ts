import { join } from "node:path";

/** A program that knows restic's commands, flags and repositories. */
export interface Tool {
  readonly name: string;
  readonly command: string;
  /** Before the command: keeps its own caches and messages out of a test. */
  readonly flags: readonly string[];
}

const root: string = join(import.meta.dirname, "../..");

/** As it is published where `scripts/test.ts` has built it, otherwise from the sources. */
export const COMEBACK: Tool = {
  name: "comeback",
  command: process.env["COMEBACK_UNDER_TEST"] ?? join(root, "bin/comeback"),
  flags: [],
};

/** Debian 12's and Debian 13's (test/services/restic). */
export const RESTIC_014: Tool = { name: "restic 0.14", command: "restic", flags: ["--no-cache"] };
export const RESTIC_018: Tool = {
  name: "restic 0.18",
  command: "restic-0.18",
  flags: ["--no-cache"],
};
export const RESTICS: readonly Tool[] = [RESTIC_014, RESTIC_018];
