/** Parts of a secret address that are shorter are words such as "api". */
const PART_MIN_CHARS = 6;
const HIDDEN = "***";

/** Takes secrets out of what is told: of an answer, of a system's error. */
export class Redactor {
  readonly #secrets: Set<string> = new Set();

  add(secret: string): void {
    if (secret === "") return;
    this.#secrets.add(secret);
    this.#secrets.add(encodeURIComponent(secret));
    if (!URL.canParse(secret)) return;
    const { href, pathname, search, username, password, searchParams } = new URL(secret);
    for (const part of [href, pathname + search]) {
      if (part.length >= PART_MIN_CHARS) this.#secrets.add(part);
    }
    const parts = [...pathname.split("/"), username, password, ...searchParams.values()];
    for (const part of parts.filter(({ length }) => length >= PART_MIN_CHARS)) {
      this.#secrets.add(part);
      this.#secrets.add(decodeLoosely(part));
    }
  }

  redact(text: string): string {
    // The longest first: a part of it must not leave the rest behind.
    const known = [...this.#secrets].toSorted((a, b) => b.length - a.length);
    return known.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text);
  }
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
