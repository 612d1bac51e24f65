import { z } from "zod";
import type { ValuePath } from "./located-value.ts";
import { configuration } from "./schema/configuration.ts";

/** As much of JSON Schema (2020-12) as ours is made of. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

const TITLE = "comeback.yaml";
let made: JsonSchema | undefined;

/** What a configuration may say, for editors and for our own messages. */
export function configurationJsonSchema(): JsonSchema {
  return (made ??= { title: TITLE, ...cleaned(z.toJSONSchema(configuration, { io: "input" })) });
}

/** zod's own extension of `format`, which validators would complain of. */
function cleaned(schema: unknown): JsonSchema {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === "format" && value === "starts_with" ? undefined : value,
  );
  return JSON.parse(text) as JsonSchema;
}

/** What may stand at a path: every form of it, and the names of the definitions passed. */
export interface Accepted {
  readonly schemas: readonly JsonSchema[];
  readonly definitions: ReadonlySet<string>;
}

export function acceptedAt(path: ValuePath): Accepted {
  const definitions = new Set<string>();
  let schemas = expand([configurationJsonSchema()], definitions);
  for (const step of path) {
    schemas = expand(
      schemas.flatMap((schema) => stepInto(schema, step) ?? []),
      definitions,
    );
  }
  return { schemas, definitions };
}

/** The keys that a mapping at this path may have. */
export function keysAt(path: ValuePath): string[] {
  return [
    ...new Set(acceptedAt(path).schemas.flatMap(({ properties = {} }) => Object.keys(properties))),
  ];
}

function stepInto(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === "number") return schema.items;
  const { properties = {}, additionalProperties } = schema;
  if (Object.hasOwn(properties, step)) return properties[step];
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

function expand(schemas: readonly JsonSchema[], definitions: Set<string>): JsonSchema[] {
  return schemas.flatMap((schema): JsonSchema[] => {
    const name = definitionOf(schema);
    if (name !== undefined) {
      definitions.add(name);
      return expand([definition(name)], definitions);
    }
    return schema.anyOf === undefined ? [schema] : expand(schema.anyOf, definitions);
  });
}

/** The definition that a schema refers to. */
export function definitionOf({ $ref }: JsonSchema): string | undefined {
  return $ref?.replace("#/$defs/", "");
}

export function definition(name: string): JsonSchema {
  return configurationJsonSchema().$defs?.[name] ?? {};
}

/** As it is published. */
export function configurationJsonSchemaText(): string {
  return `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`;
}
