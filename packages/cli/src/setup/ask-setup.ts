import { ComebackError, ExitCode } from "@comeback/core";
import { badUsage } from "../options/option-error.ts";
import { formatBytes } from "../terminal/format-values.ts";
import { askSources } from "./ask-sources.ts";
import { type Discovery, freeBytesNear } from "./discover-host.ts";
import type { GivenSetup, SetupChoice } from "./run-setup.ts";

/** Asks what to protect, where to and when; what flags say already is not asked. */
export async function askSetup(
  flags: GivenSetup,
  found: readonly Discovery[],
): Promise<SetupChoice> {
  if (!process.stdin.isTTY) {
    throw badUsage("there is nobody to ask", "use --yes with --path and --repo");
  }
  const prompts = await import("@clack/prompts");
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (!prompts.isCancel(answer)) return answer as Exclude<T, symbol>;
    throw new ComebackError("interrupted", "nothing was written", {
      exitCode: ExitCode.interrupted,
    });
  };
  prompts.intro("Comeback: backups that prove they come back");
  const wanted = flags.named.length > 0 ? flags.named : await askSources(prompts, answered, found);
  const repository =
    flags.repository ??
    answered(
      await prompts.text({
        message: "Where to? A folder, or sftp:user@host:/path, s3:https://host/bucket, …",
        placeholder: "/mnt/backup/comeback",
        validate: (text) => ((text ?? "").trim() === "" ? "a place is needed" : undefined),
      }),
    ).trim();
  const isFolder = !/^[a-z0-9]+:/.test(repository);
  const free = isFolder ? await freeBytesNear(repository) : undefined;
  if (free !== undefined) prompts.log.info(`${formatBytes(free)} are free there`);
  const at = answered(
    await prompts.text({
      message: "When, every day?",
      initialValue: flags.at,
      validate: (text) =>
        /^(?:[01]?\d|2[0-3]):[0-5]\d$/.test(text ?? "") ? undefined : "write it as 02:30",
    }),
  );
  return {
    repository,
    sources: wanted,
    at,
    confirm: async () =>
      answered(await prompts.confirm({ message: "Write this?", initialValue: true })),
  };
}
