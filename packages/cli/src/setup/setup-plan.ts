import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ComebackError } from "@comeback/core";
import type { Discovery } from "./discover-host.ts";
import { renderConfiguration } from "./render-configuration.ts";

export const BACKUP_DAILY_DEFAULT = "02:00";

/** All that a setup will do, shown before it is done. */
export interface SetupPlan {
  readonly configurationPath: string;
  readonly configurationText: string;
  readonly repository: string;
  readonly keyFile: string;
  /** The key file is there already: its password is used, and none is made. */
  readonly keyExists: boolean;
  readonly sources: readonly Discovery[];
}

export interface SetupWish {
  readonly configurationPath: string;
  readonly repository: string;
  readonly sources: readonly Discovery[];
  /** The host's name where it is `undefined`. */
  readonly plan: string | undefined;
  readonly at: string;
  readonly keyFile: string | undefined;
  readonly keyExists: boolean;
}

export function keyFileFor(configurationPath: string): string {
  return join(dirname(configurationPath), "repository.key");
}

export function planSetup(wish: SetupWish): SetupPlan {
  const { configurationPath, repository, at } = wish;
  const place = /^[a-z0-9]+:/.test(repository) ? repository : resolve(repository);
  const sources = uniquely(wish.sources).map((source) => withoutRepository(source, place));
  // A logical volume is only mentioned: what is on it is backed up as folders.
  if (!sources.some(({ kind }) => kind !== "lvm")) {
    throw new ComebackError("option.invalid", "there is nothing to protect", {
      why: "no folder was named, and nothing was chosen",
      next: "name one with --path /srv, or take all that is found with --all",
    });
  }
  if (!/^(?:[01]?\d|2[0-3]):[0-5]\d$/.test(at)) {
    throw new ComebackError("option.invalid", `--at: ${at} is no time of day`, {
      next: "write it as 02:30",
    });
  }
  const { plan = nameFrom(hostname()) } = wish;
  if (nameFrom(plan) !== plan) {
    throw new ComebackError("option.invalid", `--plan: ${plan} is no name`, {
      next: "letters, digits, and . _ - inside; up to 63 characters",
    });
  }
  const keyFile = resolve(wish.keyFile ?? keyFileFor(configurationPath));
  return {
    configurationPath,
    configurationText: renderConfiguration({
      plan,
      repository: place,
      passwordFile: keyFile,
      daily: at,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      sources,
    }),
    repository: place,
    keyFile,
    keyExists: wish.keyExists,
    sources,
  };
}

/** A repository within what it protects would grow by itself with every run. */
function withoutRepository(source: Discovery, place: string): Discovery {
  const { path } = source;
  if (path === undefined || source.kind === "postgres") return source;
  if (place === path) {
    throw new ComebackError("option.invalid", `${path} is the repository, and to be protected`, {
      next: "put the repository elsewhere, best on another disk or machine",
    });
  }
  return place.startsWith(path === "/" ? "/" : `${path}/`) ? { ...source, exclude: place } : source;
}

/** Nothing twice, and no two of one name. */
function uniquely(sources: readonly Discovery[]): Discovery[] {
  const seen = new Set<string>();
  const names = new Set<string>();
  const result: Discovery[] = [];
  for (const source of sources) {
    const { kind, path = "", id = "", name } = source;
    const key = `${kind === "volume" ? "folder" : kind}\0${path}\0${id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    let unique = name;
    for (let count = 2; names.has(unique); count++) unique = `${name.slice(0, 59)}-${count}`;
    names.add(unique);
    result.push({ ...source, name: unique });
  }
  return result;
}

/** The folders that were named, as sources with names of their own. Rejects where one is missing. */
export async function namedFolders(paths: readonly string[]): Promise<Discovery[]> {
  const folders: Discovery[] = [];
  for (const given of paths) {
    const path = resolve(given);
    await stat(path).catch((cause: unknown) => {
      throw new ComebackError("source.unavailable", `nothing is at ${path}`, {
        why: "only what is there can be protected",
        next: "see how it is spelt, or whether it is mounted",
        cause,
      });
    });
    const name = nameFrom(path.slice(1).replaceAll("/", "-") || "root");
    folders.push({ kind: "folder", name, description: path, path });
  }
  return folders;
}

function nameFrom(text: string): string {
  const fit = text.replaceAll(/[^a-zA-Z0-9_.-]+/g, "-").replace(/^[^a-zA-Z0-9]+/, "");
  return fit.slice(0, 63) || "server";
}
