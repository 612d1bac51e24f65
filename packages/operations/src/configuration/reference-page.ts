import {
  configurationJsonSchema,
  definition,
  definitionOf,
  type JsonSchema,
} from "./json-schema.ts";

const INTRODUCTION = `# The configuration

<!-- Made from the schema by \`node scripts/configuration-docs.ts\`: change it there. -->

One YAML file, \`comeback.yaml\`, says what is protected, where it goes, when, and how long it stays.
It is looked for in this order: \`--config FILE\`, \`COMEBACK_CONFIG\`, \`./comeback.yaml\`,
\`~/.config/comeback/comeback.yaml\`, \`/etc/comeback/comeback.yaml\`. There is a commented
[example](comeback.example.yaml), and a [JSON Schema](comeback.schema.json) for editors; put
\`# yaml-language-server: $schema=PATH\` into the first line for those that ask for it.

\`comeback plan check\` says whether all of it can be done now; a mistake is told with its file, line and
column, what was found, what is accepted, and what was probably meant.

**Secrets** are never in the file. It says where they are:

| | |
| --- | --- |
| \`{env: NAME}\` | a variable of the environment |
| \`{file: /path}\` | a file. Refused where others can read it: \`chmod 600\`. Only what belongs to root may also be read by root's group, and what a container engine puts below \`/run/secrets\` is taken as it is |
| \`{command: …}\` | what a program prints, in a minute at most |
| \`{credential: NAME}\` | a credential of the systemd unit (\`LoadCredential=\`, \`SetCredentialEncrypted=\`) |

White space around a secret from a file or a program is left out.

**Several files.** \`include\` names more of the same form, by path or pattern, relative to the file that
names them. Each may add destinations, plans, channels, snapshotters and defaults; what two files say is
refused, and so is a file that is included twice or by itself.

**Defaults** are put under each plan, destination, source and channel of all files. Mappings merge, key by
key; lists and all else replace. A key with nothing behind it (\`mount:\` or \`mount: ~\`) takes a default
away. What \`defaults.source\` says under \`postgres\` is for PostgreSQL sources only, and so for each kind of
source and channel.

**YAML** is version 1.2: \`yes\`, \`on\` and \`02:00\` are text. Anchors, aliases and \`<<\` can be used.

**Destinations by name.** \`-r NAME\` opens a destination with any command, and \`--also-to NAME\` and
\`--from-repo NAME\` one more: its repository with password,
storage settings, mount and limits. A flag beats what the destination says. Where a folder has the same
name, write \`./NAME\` for it.
`;

/** The page about every key, from the schema that checks them. */
export function configurationReference(): string {
  const root = configurationJsonSchema();
  const names = Object.keys(root.$defs ?? {});
  const tables = names.filter((name) => isTable(definition(name)));
  const values = names.filter((name) => !tables.includes(name));
  return [
    INTRODUCTION,
    "## At the top\n",
    table(root),
    ...inOrder(tables).map((name) => section(name)),
    "## Values\n",
    "| | |\n| --- | --- |",
    ...values
      .toSorted()
      .map((name) => `| <a id="${name}"></a>${name} | ${escaped(definition(name).description)} |`),
    "",
  ].join("\n");
}

/** From what is at the top downwards, as one reads. */
function inOrder(names: readonly string[]): string[] {
  const ordered = new Set<string>();
  const visit = (schema: JsonSchema): void => {
    const inner = referencesOf(schema).filter((name) => names.includes(name) && !ordered.has(name));
    for (const name of inner) ordered.add(name);
    for (const name of inner) visit(definition(name));
  };
  visit(configurationJsonSchema());
  return [...ordered];
}

function referencesOf(schema: JsonSchema): string[] {
  const name = definitionOf(schema);
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...(typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : []),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...(schema.anyOf ?? []),
  ];
  return [...(name === undefined ? [] : [name]), ...inner.flatMap(referencesOf)];
}

function isTable(schema: JsonSchema): boolean {
  return mappingsOf(schema).length === 1;
}

/** The mapping with known keys that a schema is, or has as one of its forms. */
function mappingsOf(schema: JsonSchema): JsonSchema[] {
  if (schema.properties !== undefined) return [schema];
  return (schema.anyOf ?? []).filter(({ properties }) => properties !== undefined);
}

function section(name: string): string {
  const schema = definition(name);
  return [`## ${name}\n`, `${schema.description ?? ""}\n`, table(mappingsOf(schema)[0]!)].join(
    "\n",
  );
}

function table(schema: JsonSchema): string {
  return `| key | value | |\n| --- | --- | --- |\n${rows(schema, "").join("\n")}\n`;
}

function rows(schema: JsonSchema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const isNeeded = schema.required?.includes(key) === true && value.default === undefined;
    const own = `| \`${prefix}${key}\`${isNeeded ? " (needed)" : ""} | ${typeText(value)} | ${meaning(value)} |`;
    // A small mapping is told in place; one with a name has its own section.
    const inner =
      definitionOf(value) === undefined && value.properties !== undefined ? value : undefined;
    const item =
      value.items?.properties !== undefined && definitionOf(value.items) === undefined
        ? value.items
        : undefined;
    return [
      own,
      ...(inner === undefined ? [] : rows(inner, `${prefix}${key}.`)),
      ...(item === undefined ? [] : rows(item, `${prefix}${key}[].`)),
    ];
  });
}

function meaning(schema: JsonSchema): string {
  const name = definitionOf(schema);
  const description =
    schema.description ?? (name === undefined ? "" : definition(name).description);
  const { default: given } = schema;
  const isEmpty = given === undefined || given === false || JSON.stringify(given).length === 2;
  return `${escaped(description)}${isEmpty ? "" : ` Default: \`${defaultText(given)}\`.`}`.trim();
}

function defaultText(given: unknown): string {
  if (Array.isArray(given)) return `[${given.join(", ")}]`;
  return typeof given === "string" ? given : JSON.stringify(given);
}

function typeText(schema: JsonSchema): string {
  const name = definitionOf(schema);
  if (name !== undefined) return `[${name}](#${name})`;
  if (schema.anyOf !== undefined) return unionText(schema.anyOf);
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${String(word)}\``).join(", ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.items !== undefined) return `list of ${typeText(schema.items)}`;
  const { additionalProperties: values } = schema;
  if (typeof values === "object") {
    return Object.keys(values).length === 0 ? "mapping" : `NAME: ${typeText(values)}`;
  }
  return [schema.type ?? ""].flat().map(wordFor).join(" or ");
}

/** "x, or a list of them" for what may be written shorter where it is only one. */
function unionText(forms: readonly JsonSchema[]): string {
  const [list, single] = forms;
  if (forms.length === 2 && list?.items !== undefined && single !== undefined) {
    const one = typeText(single);
    if (one === typeText(list.items)) return `${one}, or a list`;
  }
  return forms
    .map((form) => (form.properties === undefined ? typeText(form) : mappingText(form.properties)))
    .join(" or ");
}

function mappingText(properties: Readonly<Record<string, JsonSchema>>): string {
  return `\`{${Object.keys(properties).join(", ")}}\``;
}

const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  object: "mapping",
  integer: "whole number",
  boolean: "`true` or `false`",
};

function wordFor(type: string): string {
  return WORDS[type] ?? type;
}

function escaped(text = ""): string {
  return text.replaceAll("|", "\\|");
}
