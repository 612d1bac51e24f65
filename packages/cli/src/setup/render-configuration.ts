import { stringify } from "yaml";
import { printableText } from "../terminal/printable.ts";
import type { Discovery } from "./discover-host.ts";

/** What the wizard has found out, or was told. */
export interface SetupAnswers {
  readonly plan: string;
  readonly repository: string;
  readonly passwordFile: string;
  readonly daily: string;
  readonly timezone: string;
  readonly sources: readonly Discovery[];
}

const HEAD = `# What Comeback protects on this machine. \`comeback plan check\` looks whether all of it
# works; docs/reference/configuration.md tells every key.
`;

/** The configuration as a file to read and change. */
export function renderConfiguration(answers: SetupAnswers): string {
  const { plan, repository, passwordFile, daily, timezone, sources } = answers;
  return `${HEAD}
destinations:
  # Where snapshots go. More of them make more copies: see \`copies\` below.
  main:
    repo: ${scalar(repository)}
    # Never the password itself: only where it is. Keep a copy of it away from this machine.
    password: { file: ${scalar(passwordFile)} }

plans:
  ${plan}:
    # A time in this zone; also "hourly", "weekly sun 03:00", or a cron line.
    schedule: { incremental: ${scalar(`daily ${daily}`)}, timezone: ${timezone} }
    # \`comeback status\` warns where the newest good state is older.
    objectives: { rpo: 26h }
    sources:
${sources.map(sourceLines).join("\n")}
    to: main
    # What stays: the newest three, and one of each of the last so many days, weeks, months.
    keep: { last: 3, daily: 14, weekly: 8, monthly: 12 }
    # A second place, such as one far away:
    # copies: [{ from: main, to: cloud, keep: { monthly: 24 } }]
    # Who is told: name channels below, and try them with \`comeback notify test\`.
    # notify: [mail]

# channels:
#   mail: { smtp: { host: mail.example.com, from: backup@example.com, to: me@example.com } }
`;
}

function sourceLines({ kind, name, path, id, exclude, ...source }: Discovery): string {
  const description = printableText(source.description);
  const key = `      ${name}:`;
  switch (kind) {
    case "configuration":
      return `      # ${description}\n${key} { configuration: {} }`;
    case "folder":
    case "volume": {
      const files =
        exclude === undefined
          ? scalar(path ?? "/")
          : `{ paths: ${scalar(path ?? "/")}, exclude: [${scalar(exclude)}] }`;
      return `      # ${description}\n${key} { files: ${files} }`;
    }
    case "postgres": {
      const url = scalar(`postgres://postgres@/postgres?host=${path}&port=${id}`);
      // Whoever is not root can only be himself.
      const runAs = process.getuid?.() === 0 ? ", run-as: postgres" : "";
      return `      # ${description}: every database, dumped as it is at one moment\n${key} { postgres: { url: ${url}${runAs} } }`;
    }
    case "mariadb": {
      const dump =
        "mariadb-dump --all-databases --single-transaction --routines --events --triggers";
      return `      # ${description}: a dump of all databases\n${key} { command: { run: ${scalar(dump)}, filename: mariadb.sql } }`;
    }
    case "guest": {
      const dump = `vzdump ${id} --mode snapshot --compress 0 --stdout`;
      return `      # ${description}\n${key} { command: { run: ${scalar(dump)}, filename: ${name}.vma } }`;
    }
    case "lvm":
      // Its file systems are backed up as folders.
      return `      # ${description}`;
  }
}

/** Within braces, commas and the like would be YAML's own: what is not plainly plain is quoted. */
function scalar(text: string): string {
  return /^[A-Za-z/][\w/.+@-]*$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  return stringify(text, { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE" }).trimEnd();
}
