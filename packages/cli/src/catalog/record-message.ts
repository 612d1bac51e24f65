/**
 * A record as JSON for scripts: names in snake_case as everywhere in our JSON, moments in the form of
 * RFC 3339 and without the unit in their names (`startedAtMs` is `started_at`).
 */
export function recordMessage(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]: [string, unknown]) =>
        /(?:^at|At|For)Ms$/.test(key) && typeof value === "number"
          ? [snakeCase(key.slice(0, -"Ms".length)), new Date(value).toISOString()]
          : [snakeCase(key), messageOf(value)],
      ),
  );
}

function messageOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(messageOf);
  return typeof value === "object" && value !== null ? recordMessage(value) : value;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
