import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import type { InstallPlan } from "./plan-install.ts";

/** What will be done, with the whole of each file. */
export function renderInstall({ before, files, after }: InstallPlan, palette: Palette): string[] {
  if (files.length === 0) return ["nothing of Comeback is installed there"];
  const command = (argv: readonly string[]): string => `run    ${printableText(argv.join(" "))}`;
  return [
    ...before.map(command),
    ...files.flatMap(({ path, text, change }) => {
      if (change === "removed") return [`remove ${printableText(path)}`];
      if (change === "same") return [`keep   ${printableText(path)}, which is as it should be`];
      const lines = (text ?? "").trimEnd().split("\n");
      return [
        `write  ${printableText(path)}${change === "changed" ? ", which differs" : ""}`,
        ...lines.map((line) => palette.dim(`         ${printableText(line)}`).trimEnd()),
      ];
    }),
    ...after.map(command),
  ];
}

export function installMessage(plan: InstallPlan, isDryRun: boolean): string {
  const { before, files, after } = plan;
  return JSON.stringify({ message_type: "install", dry_run: isDryRun, before, files, after });
}
