const UNITS = [
  { name: "d", sizeMs: 24 * 3600 * 1000 },
  { name: "h", sizeMs: 3600 * 1000 },
  { name: "min", sizeMs: 60 * 1000 },
] as const;

/** A span of time as people say it, in one unit: "30 s", "1.5 h", "2 d". */
export function formatSpan(spanMs: number): string {
  const unit = UNITS.find(({ sizeMs }) => spanMs >= sizeMs) ?? { name: "s", sizeMs: 1000 };
  const digits = spanMs % unit.sizeMs === 0 ? 0 : 1;
  return `${(spanMs / unit.sizeMs).toFixed(digits)} ${unit.name}`;
}
