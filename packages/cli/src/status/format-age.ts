const SECOND_MS = 1000;
const UNITS = [
  { name: "d", sizeMs: 24 * 3600 * SECOND_MS },
  { name: "h", sizeMs: 3600 * SECOND_MS },
  { name: "min", sizeMs: 60 * SECOND_MS },
  { name: "s", sizeMs: SECOND_MS },
] as const;

/** A span of time as people say it, in two units at most: "3 d 4 h", "12 min", "45 s". */
export function formatAge(spanMs: number): string {
  const rest = Math.max(0, spanMs);
  const place = UNITS.findIndex(({ sizeMs }) => rest >= sizeMs);
  const unit = UNITS[place];
  if (unit === undefined) return "0 s";
  const count = Math.floor(rest / unit.sizeMs);
  const below = UNITS[place + 1];
  const left = below === undefined ? 0 : Math.floor((rest % unit.sizeMs) / below.sizeMs);
  // Beyond ten of a unit, the next one says nothing more.
  if (below === undefined || left === 0 || count >= 10) return `${count} ${unit.name}`;
  return `${count} ${unit.name} ${left} ${below.name}`;
}
