import { badValue } from "./option-error.ts";

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d)(?::(\d\d)(?: (.+))?)?)?$/;
const DOTTED = /^(\d\d)\.(\d\d)\.(\d{4})(?: (\d\d):(\d\d)(?::(\d\d)(?: (.+))?)?)?$/;
/** What `date` prints in some places: "Mon Jan 2 15:04:05 -0700 MST 2006". */
const LONG =
  /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) ([+-]\d{4}) [A-Z]{3,5} (\d{4})$/;
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const OFFSET = /^([+-])(\d\d)(\d\d)$/;

const ACCEPTED =
  "2006-01-02 or 02.01.2006, with 15:04 or 15:04:05 behind it, and then perhaps +0100 or UTC";

interface Parts {
  readonly date: readonly [year: string, month: string, day: string];
  readonly time: readonly (string | undefined)[];
  readonly zone: string | undefined;
}

/** A time in one of restic's forms for `find`, of the local zone unless it says: milliseconds. */
export function parseSearchTimeMs(option: string, text: string): number {
  const { date, time, zone } = partsOf(text) ?? refuse(option, text);
  const [year, month, day] = date.map(Number) as [number, number, number];
  const [hours = 0, minutes = 0, seconds = 0] = time.map((part) => Number(part ?? 0));
  const asUtc = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  const check = new Date(asUtc);
  // A Date moves 31 February to March: what comes out must be what went in.
  const isReal = check.getUTCMonth() === month - 1 && check.getUTCDate() === day;
  if (!isReal || hours > 23 || minutes > 59 || seconds > 59) refuse(option, text);
  const local = new Date(year, month - 1, day, hours, minutes, seconds).getTime();
  if (zone === undefined) return local;
  if (zone === "UTC" || zone === "GMT") return asUtc;
  const offset = OFFSET.exec(zone);
  if (offset === null) return isLocalZone(zone, local) ? local : refuse(option, text);
  const [, sign, offsetHours, offsetMinutes] = offset;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return asUtc - (sign === "-" ? -offsetMs : offsetMs);
}

function partsOf(text: string): Parts | undefined {
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, year = "", month = "", day = "", hours, minutes, seconds, zone] = iso;
    return { date: [year, month, day], time: [hours, minutes, seconds], zone };
  }
  const dotted = DOTTED.exec(text);
  if (dotted !== null) {
    const [, day = "", month = "", year = "", hours, minutes, seconds, zone] = dotted;
    return { date: [year, month, day], time: [hours, minutes, seconds], zone };
  }
  const long = LONG.exec(text);
  if (long === null) return undefined;
  const [, name = "", day = "", hours, minutes, seconds, zone, year = ""] = long;
  const month = String(MONTHS.indexOf(name) / 3 + 1);
  return { date: [year, month, day], time: [hours, minutes, seconds], zone };
}

/** Whether the zone's short name is the one that clocks here show at that time. */
function isLocalZone(zone: string, atMs: number): boolean {
  const format = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" });
  const parts = format.formatToParts(atMs);
  return parts.some(({ type, value }) => type === "timeZoneName" && value === zone);
}

function refuse(option: string, text: string): never {
  throw badValue(option, text, ACCEPTED);
}
