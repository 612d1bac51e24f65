import { readFile } from "node:fs/promises";
import { ComebackError, type Clock, type CommandRunner } from "@comeback/core";

const LOOK_AGAIN_MS = 500;

export interface RequiredMount {
  readonly mount: string;
  readonly command?: readonly [string, ...string[]] | undefined;
  readonly wait: number;
}

/** Makes sure that something is mounted at a path, with the command that mounts it where it is not. */
export async function requireMount(
  wish: RequiredMount,
  services: { readonly runner: CommandRunner; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<"was mounted" | "is mounted now"> {
  const { mount, command, wait } = wish;
  const { runner, clock, signal } = services;
  if (await isMountPoint(mount)) return "was mounted";
  if (command === undefined) throw notMounted(mount, "and no command is given that mounts it");
  const { exitCode, lastWords } = await runner.run({ argv: command, timeoutMs: wait, signal });
  const deadline = clock.now() + wait;
  while (!(await isMountPoint(mount))) {
    if (exitCode !== 0) throw notMounted(mount, `its command failed: ${lastWords}`);
    if (clock.now() >= deadline) throw notMounted(mount, "also after its command");
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
  return "is mounted now";
}

/** As the kernel lists it; spaces and the like are written as octal numbers there. */
async function isMountPoint(path: string): Promise<boolean> {
  const wanted = path.replace(/(?<=.)\/+$/, "");
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table.split("\n").some((line) => {
    const point = line.split(" ")[4] ?? "";
    const plain = point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    return plain === wanted;
  });
}

function notMounted(mount: string, why: string): ComebackError {
  return new ComebackError("backend.not-mounted", `nothing is mounted at ${mount}`, {
    why,
    next: "mount it, or see why its command does not",
  });
}
