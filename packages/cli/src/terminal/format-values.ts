import { formatBytes } from "@comeback/core";

export { formatBytes, formatCount, formatMany } from "@comeback/core";

/** Clock-like, as restic shows it: `0:07`, `12:30`, `1:02:03`. */
export function formatClock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const rest = String(seconds % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** For a summary: `0.42 s`, `5.2 s`, `73 s`, `12:30 min`, `1:02:03 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return `${formatClock(milliseconds)} ${seconds < 3600 ? "min" : "h"}`;
}

/** Bytes a second over `milliseconds`. */
export function formatRate(bytes: number, milliseconds: number): string {
  return `${formatBytes(milliseconds <= 0 ? 0 : (bytes * 1000) / milliseconds)}/s`;
}

/** A share of one as a whole percentage; 100 only where it is complete. */
export function formatPercent(share: number): string {
  if (share >= 1) return "100%";
  return `${Math.max(0, Math.min(99, Math.floor(share * 100)))}%`;
}

/** An RFC 3339 text in the local time zone, as restic lists it: `2026-11-21 00:48:57`. */
export function formatLocalTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
