/**
 * Loaded into a program before its own code (`node --import`): a name server that knows one domain,
 * which is this machine, and can be lost. As long as the file `LOST_NAMES` is there it knows none,
 * and each question is noted there.
 */
import dns from "node:dns";
import { appendFileSync, existsSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const KNOWN = "far-away.test";
const lost = process.env["LOST_NAMES"] ?? "";
const { lookup } = dns;

type Lookup = (hostname: string, options: object, callback: (...answer: unknown[]) => void) => void;

const ours: Lookup = (hostname, options, callback) => {
  if (!`.${hostname}`.endsWith(`.${KNOWN}`)) return (lookup as Lookup)(hostname, options, callback);
  if (!existsSync(lost)) return (lookup as Lookup)("127.0.0.1", options, callback);
  appendFileSync(lost, `${hostname}\n`);
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
  process.nextTick(callback, Object.assign(error, { code: "ENOTFOUND", syscall: "getaddrinfo" }));
};
Object.assign(dns, { lookup: ours });
syncBuiltinESMExports();
