import { resolve } from "node:path";
import type { DestinationSettings } from "../schema/destination.ts";
import type { CheckContext } from "./check-context.ts";

/** A name and password, or only a password, in front of a host. */
const CREDENTIALS = /\/\/[^/\s@]*:[^/\s@]*@/;

/** Each destination is a repository of its own, in a place that fits what is said of it. */
export function checkDestinations(context: CheckContext): void {
  const seen = new Map<string, string>();
  for (const [name, destination] of Object.entries(context.configuration.destinations)) {
    const at = ["destinations", name];
    for (const key of ["repo", "hot"] as const) {
      const location = destination[key];
      if (location === undefined) continue;
      const place = normalLocation(location);
      const before = seen.get(place);
      if (before !== undefined) {
        const what = before === name ? "the repository itself" : `"${before}"`;
        context.report([...at, key], `this place is ${what} already`);
      }
      seen.set(place, name);
      if (CREDENTIALS.test(location)) {
        const next = "put them into `environment`, as references";
        context.report([...at, key], `a secret is never written here: ${next}`, { isSecret: true });
      }
    }
    checkReplica(context, at, destination);
    if (destination.mount !== undefined && !isFolder(destination.repo)) {
      const message = "a mount is for a repository in a folder, and this one is none";
      context.report([...at, "mount"], message, { atKey: true });
    }
  }
  checkPostgresUrls(context);
}

/** A replica is what another destination is: it is not written, and keeps what that one keeps. */
function checkReplica(context: CheckContext, at: string[], destination: DestinationSettings): void {
  if (destination.replica === undefined) return;
  const name = at[1]!;
  const why = `"${name}" is a replica`;
  if (destination.keep !== undefined) {
    context.report([...at, "keep"], `${why}: it holds what its original keeps`, { atKey: true });
  }
  for (const [planName, plan] of Object.entries(context.configuration.plans)) {
    const place = plan.to.indexOf(name);
    if (place !== -1) {
      const message = `${why}: a plan cannot write it; name it in a copy's \`to\``;
      context.report(["plans", planName, "to", place], message);
    }
    for (const [index, copy] of plan.copies.entries()) {
      if (copy.to !== name) continue;
      const path = ["plans", planName, "copies", index];
      if (copy.keep !== undefined) {
        const message = `${why}: it holds what its original keeps`;
        context.report([...path, "keep"], message, { atKey: true });
      }
      const { types, period, sources } = copy.only;
      if ([types, period, sources].some((filter) => filter !== undefined)) {
        const message = `${why}: it gets all that its original holds`;
        context.report([...path, "only"], message, { atKey: true });
      }
    }
  }
}

function checkPostgresUrls(context: CheckContext): void {
  for (const [planName, plan] of Object.entries(context.configuration.plans)) {
    for (const [name, source] of Object.entries(plan.sources)) {
      if (source.kind !== "postgres") continue;
      const { url } = source.settings;
      if (typeof url !== "string" || !CREDENTIALS.test(url)) continue;
      const path = ["plans", planName, "sources", name, "postgres", "url"];
      const message = "a secret is never written here: put it into `password`, as a reference";
      context.report(path, message, { isSecret: true });
    }
  }
}

/** As `-r` reads it: what stands before a colon is a kind of storage, unless it is a path. */
export function isFolder(location: string): boolean {
  const scheme = /^([^/.:][^/:]*):/.exec(location)?.[1];
  return scheme === undefined || scheme === "local";
}

function normalLocation(location: string): string {
  if (isFolder(location)) return resolve(location.replace(/^local:/, ""));
  return location.replace(/\/+$/, "");
}
