import { z } from "zod";

/** "one-file-system" in the file, `oneFileSystem` in the code. */
type Camel<Key extends string> = Key extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Key;
type CamelKeys<T> = { readonly [Key in keyof T as Key extends string ? Camel<Key> : Key]: T[Key] };

function camelCase(key: string): string {
  return key.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).map(([key, item]) => [camelCase(key), item]);
  return Object.fromEntries(entries) as CamelKeys<T>;
}

type Settings<Shape extends z.ZodRawShape> = z.ZodPipe<
  z.ZodObject<Shape, z.core.$strict>,
  z.ZodTransform<
    CamelKeys<z.output<z.ZodObject<Shape, z.core.$strict>>>,
    z.output<z.ZodObject<Shape, z.core.$strict>>
  >
>;

/** A mapping whose keys are known, written with hyphens as the command line's flags are. */
export function settings<Shape extends z.ZodRawShape>(shape: Shape): Settings<Shape> {
  return z.strictObject(shape).transform(camelKeys) as Settings<Shape>;
}

type Kinds = Readonly<Record<string, z.ZodType>>;
/** `{kind: "files", settings: …}` for each of the kinds, and what is common to them. */
type Chosen<K extends Kinds, Common extends z.ZodRawShape> = {
  [Kind in keyof K & string]: {
    readonly kind: Kind;
    readonly settings: z.output<K[Kind]>;
  } & CamelKeys<z.output<z.ZodObject<Common, z.core.$strict>>>;
}[keyof K & string];

/**
 * A mapping that says by one of its keys what kind it is: `{postgres: {…}, retries: 2}`. Beside the
 * kind's own key, it has those that all kinds have in common.
 */
export function oneKind<K extends Kinds, Common extends z.ZodRawShape>(
  what: string,
  kinds: K,
  common: Common,
): z.ZodType<Chosen<K, Common>> {
  const names = Object.keys(kinds);
  const optional = Object.fromEntries(names.map((name) => [name, kinds[name]!.optional()]));
  return z
    .strictObject({ ...optional, ...common })
    .superRefine((value, context) => {
      const given = names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
      if (given.length === 1) return;
      const message =
        given.length === 0
          ? `${what} needs one of ${names.join(", ")}`
          : `${what} is of one kind, and this says ${given.join(" and ")}`;
      context.addIssue({ code: "custom", message });
    })
    .transform((value): Chosen<K, Common> => {
      const all = value as Record<string, unknown>;
      const kind = names.find((name) => all[name] !== undefined) ?? "";
      const rest = Object.fromEntries(Object.entries(all).filter(([key]) => !names.includes(key)));
      return { kind, settings: all[kind], ...camelKeys(rest) } as unknown as Chosen<K, Common>;
    });
}
