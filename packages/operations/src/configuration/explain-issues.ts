import type { z } from "zod";
import { acceptedAt, keysAt } from "./json-schema.ts";
import { findValue, type LocatedMapping, plainValue, type ValuePath } from "./located-value.ts";
import { withoutCredentials } from "./hide-secrets.ts";
import { nearest } from "./nearest.ts";
import type { Problem } from "./problems.ts";

type Issue = z.core.$ZodIssue;

const SHOWN_MAX_CHARS = 40;
const LISTED_MAX = 24;
const SECRET_DEFINITIONS = ["secret", "text-or-secret"];
/** Settings of a storage may hold what nobody else should see. */
const SECRET_SECTIONS = ["options"];

/** What the schema found, in words: what stands there, what is accepted, what was perhaps meant. */
export function explainIssues(issues: readonly Issue[], root: LocatedMapping): Problem[] {
  const explainer = new IssueExplainer(root);
  for (const issue of issues) explainer.explain(issue, []);
  return explainer.problems();
}

class IssueExplainer {
  readonly #root: LocatedMapping;
  readonly #found: Problem[] = [];
  /** Mappings with an unknown key: what else is missing there is most likely the same mistake. */
  readonly #mistyped = new Set<string>();
  readonly #missing: { readonly at: string; readonly problem: Problem }[] = [];

  constructor(root: LocatedMapping) {
    this.#root = root;
  }

  problems(): Problem[] {
    const missing = this.#missing.filter(({ at }) => !this.#mistyped.has(at));
    return [...this.#found, ...missing.map(({ problem }) => problem)];
  }

  explain(issue: Issue, above: ValuePath): void {
    const path: ValuePath = [...above, ...(issue.path as ValuePath)];
    const isType = issue.code === "invalid_type" || issue.code === "invalid_union";
    if (isType && findValue(this.#root, path).value === undefined) return this.#nothing(path);
    switch (issue.code) {
      case "unrecognized_keys":
        for (const key of issue.keys) this.#unknownKey(path, key);
        return;
      case "invalid_union":
        this.#union(issue, path);
        return;
      case "invalid_type":
        this.#wrongType(issue.expected, path, issue.message);
        return;
      case "invalid_value":
        this.#wrongWord(issue.values, path);
        return;
      case "invalid_key":
        this.#add(path, issue.issues[0]?.message ?? issue.message, { atKey: true });
        return;
      case "custom":
        this.#custom(path, issue.message);
        return;
      default:
        this.#add(path, `found ${this.#shown(path)}; ${plain(issue.message)}`);
    }
  }

  #unknownKey(path: ValuePath, key: string): void {
    const accepted = keysAt(path);
    const suggestion = nearest(key, accepted);
    this.#mistyped.add(path.join("\0"));
    const given = findValue(this.#root, path).value;
    const free =
      given?.kind === "mapping" ? accepted.filter((name) => !given.entries.has(name)) : accepted;
    const keyPath = [...path, key];
    // Without its value: nobody knows what was meant to stand there.
    this.#add(keyPath, `found "${clipped(key)}"; accepted here: ${listed(free)}`, {
      suggestion,
      atKey: true,
    });
  }

  #union(issue: Extract<Issue, { code: "invalid_union" }>, path: ValuePath): void {
    const fitting = issue.errors.filter((branch) => !branch.some(isOfOtherForm));
    const isOwnMessage = issue.message !== "Invalid input";
    // In a mapping, the mistake is one key, and not that this is a mapping.
    const keys = fitting.flat().find(({ code }) => code === "unrecognized_keys");
    if (isOwnMessage) {
      const unknown = keys?.code === "unrecognized_keys" ? keys.keys[0] : undefined;
      const suggestion = unknown === undefined ? undefined : nearest(unknown, keysAt(path));
      const at = suggestion === undefined ? path : [...path, unknown!];
      this.#add(at, `found ${this.#shown(path)}; ${issue.message}`, {
        suggestion,
        atKey: suggestion !== undefined,
      });
      return;
    }
    const [branch] = fitting.toSorted((a, b) => a.length - b.length);
    if (branch !== undefined) {
      for (const inner of branch) this.explain(inner, path);
      return;
    }
    const values = issue.errors
      .flat()
      .flatMap((one) => (one.code === "invalid_value" ? one.values : []));
    this.#add(path, `found ${this.#shown(path)}; accepted: ${listed(forms(path))}`, {
      suggestion: this.#suggestWord(path, values),
    });
  }

  #wrongType(expected: string, path: ValuePath, message: string): void {
    const own = message.startsWith("Invalid input") ? `accepted: ${typeName(expected)}` : message;
    this.#add(path, `found ${this.#shown(path)}; ${own}`);
  }

  #nothing(path: ValuePath): void {
    const key = String(path.at(-1) ?? "");
    const parent = path.slice(0, -1);
    const problem = this.#problem(parent, `"${key}" is missing`, { atKey: true });
    this.#missing.push({ at: parent.join("\0"), problem });
  }

  #wrongWord(values: readonly unknown[], path: ValuePath): void {
    const words = values.map(String);
    this.#add(path, `found ${this.#shown(path)}; accepted: ${listed(words)}`, {
      suggestion: this.#suggestWord(path, values),
    });
  }

  #custom(path: ValuePath, message: string): void {
    const value = findValue(this.#root, path).value;
    if (value?.kind === "scalar") {
      this.#add(path, `found ${this.#shown(path)}; ${message}`);
    } else {
      const problem = this.#problem(path, message, { atKey: true });
      this.#missing.push({ at: path.join("\0"), problem });
    }
  }

  #suggestWord(path: ValuePath, values: readonly unknown[]): string | undefined {
    const value = findValue(this.#root, path).value;
    if (value?.kind !== "scalar" || typeof value.value !== "string") return undefined;
    return nearest(value.value, values.map(String));
  }

  #shown(path: ValuePath): string {
    const { value } = findValue(this.#root, path);
    return value === undefined ? "nothing" : shownValue(plainValue(value), isSecretAt(path));
  }

  #add(path: ValuePath, message: string, more: ProblemDetails = {}): void {
    this.#found.push(this.#problem(path, message, more));
  }

  #problem(path: ValuePath, message: string, { suggestion, atKey }: ProblemDetails): Problem {
    const { place, keyPlace, value } = findValue(this.#root, path);
    const shownPlace = atKey === true || value?.kind !== "scalar" ? (keyPlace ?? place) : place;
    const hiddenFrom = isSecretAt(path) && value !== undefined ? place.start : undefined;
    return { place: shownPlace, message, suggestion, hiddenFrom };
  }
}

interface ProblemDetails {
  readonly suggestion?: string | undefined;
  /** The key is what is meant, not the value behind it. */
  readonly atKey?: boolean;
}

/** Whether this branch of a union is for another kind of value altogether. */
function isOfOtherForm(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_type" || issue.code === "invalid_value") return true;
  return (
    issue.code === "invalid_union" && issue.errors.every((branch) => branch.some(isOfOtherForm))
  );
}

/** Whether a secret may stand at a path, or at one above it. */
export function isSecretAt(path: ValuePath): boolean {
  const { definitions } = acceptedAt(path);
  return (
    SECRET_DEFINITIONS.some((name) => definitions.has(name)) ||
    path.some((step) => SECRET_SECTIONS.includes(String(step)))
  );
}

export function shownValue(value: unknown, isSecret: boolean): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (isSecret) return typeof value === "string" ? "text" : `a ${typeof value}`;
  return typeof value === "string"
    ? `"${clipped(withoutCredentials(value))}"`
    : JSON.stringify(value);
}

function clipped(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ");
  return line.length <= SHOWN_MAX_CHARS ? line : `${line.slice(0, SHOWN_MAX_CHARS - 1)}…`;
}

/** The forms of value that are accepted at a path. */
function forms(path: ValuePath): string[] {
  return [
    ...new Set(
      acceptedAt(path).schemas.flatMap((schema) => {
        if (schema.enum !== undefined) return schema.enum.map(String);
        if (schema.const !== undefined) return [JSON.stringify(schema.const)];
        return [schema.type ?? ""].flat().map(typeName);
      }),
    ),
  ];
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  string: "text",
  number: "a number",
  integer: "a whole number",
  int: "a whole number",
  boolean: "true or false",
};

function typeName(type: string): string {
  return TYPE_NAMES[type] ?? type;
}

/** "Too small: expected number to be >=1" without what only programmers say. */
function plain(message: string): string {
  return message
    .replace(/^Too (?:small|big): expected (\w+) to /, "it has to ")
    .replace(/^Invalid (\w+): /, "");
}

function listed(words: readonly string[]): string {
  if (words.length <= LISTED_MAX) return words.join(", ");
  return `${words.slice(0, LISTED_MAX).join(", ")} and ${words.length - LISTED_MAX} more`;
}
