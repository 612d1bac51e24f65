import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian leaves these out of a user's PATH, and cron leaves out more. */
const MORE_FOLDERS = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/**
 * The path of a program that may be run: a name is looked for in PATH and then in the system's own
 * folders, a path is taken as it is. `undefined` where there is none.
 */
export function findProgram(
  program: string,
  path: string | undefined = process.env["PATH"],
): string | undefined {
  if (program.includes("/")) return mayRun(program) ? program : undefined;
  const folders = [...(path ?? "").split(delimiter).filter((each) => each !== ""), ...MORE_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(mayRun);
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
