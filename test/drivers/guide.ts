import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where the pages lie. */
export const GUIDES_FOLDER: string = join(import.meta.dirname, "../../docs/guides");

const CONFIGURATION = "/etc/comeback/comeback.yaml";

/** A page of docs/guides, as far as it is files to be copied. */
export class Guide {
  readonly name: string;
  readonly #blocks: readonly string[];

  constructor(name: string) {
    this.name = name;
    const text = readFileSync(join(GUIDES_FOLDER, `${name}.md`), "utf8");
    this.#blocks = [...text.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  }

  /** Whether the page shows a configuration from its first line to its last. */
  get hasConfiguration(): boolean {
    return this.#blocks.some((block) => isFile(block, CONFIGURATION));
  }

  /** The content of a file that the page shows: its first comment is the file's path. */
  file(path: string): string {
    const found = this.#blocks.filter((block) => isFile(block, path));
    assert.equal(found.length, 1, `docs/guides/${this.name}.md shows ${path} once`);
    return found[0] ?? "";
  }

  get configuration(): string {
    return this.file(CONFIGURATION);
  }
}

function isFile(block: string, path: string): boolean {
  const [first = "", second = ""] = block.split("\n");
  return (first.startsWith("#!") ? second : first) === `# ${path}`;
}

/** Writes a file of a guide with the places of a test; each of those has to be in it. */
export function writeAdapted(
  path: string,
  text: string,
  places: Readonly<Record<string, string>>,
): void {
  let adapted = text;
  for (const [there, here] of Object.entries(places)) {
    assert.ok(adapted.includes(there), `the guide's file does not name ${there}:\n${text}`);
    adapted = adapted.replaceAll(there, here);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, adapted);
  chmodSync(path, adapted.startsWith("#!") ? 0o755 : 0o600);
}
