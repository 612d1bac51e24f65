import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { makeFolder } from "../../drivers/scratch.ts";
import { freePorts } from "../../drivers/free-ports.ts";
import { ServerProcess } from "./server-process.ts";

/** A running server, and how its clients name it. */
export interface RestService extends AsyncDisposable {
  /** `rest:http://user:password@host:port`, without a path. */
  readonly url: string;
  readonly process: ServerProcess;
}

export interface RestServiceOptions {
  /** Where the data is: a folder, or for rclone any remote. */
  readonly data: string;
  readonly port?: number;
  readonly user?: { readonly name: string; readonly password: string };
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Clients have to show a certificate of this authority. */
  readonly clientAuthority?: string;
  readonly isAppendOnly?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** `rclone serve restic`: a REST server of another maker than restic's own. */
export async function startRcloneServer(options: RestServiceOptions): Promise<RestService> {
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const { data, user, tls, clientAuthority, isAppendOnly } = options;
  const args = ["serve", "restic", "--addr", `127.0.0.1:${port}`];
  if (tls !== undefined) args.push("--cert", tls.certificate, "--key", tls.key);
  if (clientAuthority !== undefined) args.push("--client-ca", clientAuthority);
  if (isAppendOnly === true) args.push("--append-only");
  const env = {
    ...options.env,
    ...(user === undefined ? {} : { RCLONE_USER: user.name, RCLONE_PASS: user.password }),
  };
  args.push(data);
  const process = await ServerProcess.start({ command: "rclone", args, env, listens: { port } });
  return service(process, options, port);
}

/** restic's own rest-server. It checks that a file's name is the hash of what it gets. */
export async function startRestServer(
  options: RestServiceOptions & { readonly trustsNames?: boolean; readonly maxSizeBytes?: number },
): Promise<RestService> {
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const { data, user, tls, isAppendOnly, trustsNames, maxSizeBytes } = options;
  const args = ["--path", makeFolder(data), "--listen", `127.0.0.1:${port}`];
  if (user === undefined) args.push("--no-auth");
  else args.push("--htpasswd-file", writePasswords(data, user));
  if (tls !== undefined) args.push("--tls", "--tls-cert", tls.certificate, "--tls-key", tls.key);
  if (isAppendOnly === true) args.push("--append-only");
  if (trustsNames === true) args.push("--no-verify-upload");
  if (maxSizeBytes !== undefined) args.push("--max-size", String(maxSizeBytes));
  const process = await ServerProcess.start({
    command: "rest-server",
    args,
    listens: { port },
  });
  return service(process, options, port);
}

/** The same on a socket; rclone 1.60 listens on ports only. */
export async function startRestServerOnSocket(data: string): Promise<RestService> {
  const path = join(makeFolder(data), "rest.socket");
  const listens = { path };
  const args = ["--path", join(data, "repositories"), "--listen", `unix:${path}`];
  args.push("--no-auth", "--no-verify-upload");
  const process = await ServerProcess.start({ command: "rest-server", args, listens });
  return {
    url: `rest:http+unix://${path}:`,
    process,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

function service(process: ServerProcess, options: RestServiceOptions, port: number): RestService {
  const { user, tls } = options;
  const login = user === undefined ? "" : `${user.name}:${encodeURIComponent(user.password)}@`;
  return {
    url: `rest:${tls === undefined ? "http" : "https"}://${login}localhost:${port}`,
    process,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** The oldest form that both Apache and rest-server know; bcrypt would need a program more. */
function writePasswords(
  folder: string,
  user: { readonly name: string; readonly password: string },
): string {
  const path = join(folder, ".htpasswd");
  const hash = createHash("sha1").update(user.password).digest("base64");
  writeFileSync(path, `${user.name}:{SHA}${hash}\n`, { mode: 0o600 });
  return path;
}
