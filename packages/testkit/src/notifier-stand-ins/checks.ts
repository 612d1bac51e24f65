import { expect, type StandInApi, strictly } from "./http-stand-in.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BODY_MAX_BYTES = 100_000;

export interface CheckPing {
  readonly kind: "start" | "success" | "fail" | "log";
  readonly runId: string | null;
  readonly body: string;
}

/** A check of healthchecks.io, by its UUID. */
export function checkApi(uuid: string, pings: CheckPing[]): StandInApi {
  return strictly(({ path, method, body }) => {
    const url = new URL(path, "http://stand-in");
    const [, given, suffix] = /^\/([^/]+)(?:\/(start|fail|log))?$/.exec(url.pathname) ?? [];
    // It never was otherwise, for those who send without looking.
    if (given !== uuid) return { status: 200, body: "OK (not found)" };
    expect(["GET", "HEAD", "POST"].includes(method), `${method} is none of its methods`);
    const runId = url.searchParams.get("rid");
    expect(runId === null || UUID.test(runId), "invalid uuid format");
    expect(Buffer.byteLength(body) <= BODY_MAX_BYTES, "the body is too long");
    pings.push({ kind: (suffix ?? "success") as CheckPing["kind"], runId, body });
    return { status: 200, body: "OK" };
  });
}

/** A push monitor of Uptime Kuma. */
export function kumaApi(
  token: string,
  beats: { readonly status: string; readonly message: string; readonly pingMs: string }[],
): StandInApi {
  return ({ path, method }) => {
    const url = new URL(path, "http://stand-in");
    const no = { status: 404, body: JSON.stringify({ ok: false, msg: "Monitor not found." }) };
    if (url.pathname !== `/api/push/${token}` || method !== "GET") return no;
    const of = (name: string): string => url.searchParams.get(name) ?? "";
    beats.push({ status: of("status") || "up", message: of("msg"), pingMs: of("ping") });
    return { status: 200, body: '{"ok":true}' };
  };
}
