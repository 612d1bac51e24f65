/** A part of a line. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What follows such a key is most likely a secret; also where its name has a typing error. */
const SECRET_KEY =
  /(?:pas+w|pwd|pass|secret|token|key|credential|auth|sas|dsn|signature)[\w.-]*["']?\s*[:=]\s*/gi;
/** A reference or an anchor in front of one says where a secret is, and is none. */
const REFERENCE = /^(?:[&*][\w-]+\s*)?(?:\{|$|#)/;
const URL_CREDENTIALS = /\/\/[^/\s@]*@/g;
const URL_QUERY = /\?[^\s"']+/g;
/** Addresses in a list are those of services that take whoever knows them. */
const LISTED_URL = /^\s*-\s+["']?\w+:\/\//;

/**
 * The parts of a line of the configuration that must not be shown. Rather too much than too little:
 * a person has the file, and only needs to find the place.
 */
export function hiddenRanges(line: string, alsoHidden: Range): Range[] {
  const ranges: Range[] = [alsoHidden];
  for (const match of line.matchAll(SECRET_KEY)) {
    const from = match.index + match[0].length;
    const rest = line.slice(from);
    if (REFERENCE.test(rest)) continue;
    // A flow mapping may go on behind it; a secret may hold a comma as well.
    ranges.push({ from, to: line.length });
  }
  for (const match of line.matchAll(URL_CREDENTIALS)) {
    ranges.push({ from: match.index + 2, to: match.index + match[0].length - 1 });
  }
  for (const match of line.matchAll(URL_QUERY)) {
    ranges.push({ from: match.index + 1, to: match.index + match[0].length });
  }
  const listed = LISTED_URL.exec(line);
  if (listed !== null) ranges.push({ from: listed[0].length, to: line.length });
  return joined(ranges);
}

/** Text of one value, as it may be shown. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(URL_CREDENTIALS, "//…@").replaceAll(URL_QUERY, "?…");
}

function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last === undefined || range.from > last.to) result.push(range);
    else result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return result.filter(({ from, to }) => to > from);
}
