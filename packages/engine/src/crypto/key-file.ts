import { createHash, scrypt } from "node:crypto";
import type { Random } from "@comeback/core";
import {
  BRING_BACK,
  ComebackError,
  damaged,
  SCRYPT_MEMORY_MAX_BYTES,
  SCRYPT_WORK_MAX,
} from "@comeback/core";
import { BoxCipher } from "./box.ts";
import {
  decodeMasterKey,
  encodeMasterKey,
  masterKeyFromBytes,
  type MasterKey,
} from "./master-key.ts";

/** A key file (restic design, "Keys, Encryption and MAC"): plain JSON, with the master key sealed inside. */
export interface KeyFile {
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
  readonly kdf: "scrypt";
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly data: string;
}

export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about 0.2 s on one core: one of the settings OWASP's password storage guide accepts. */
export const SCRYPT_COST_DEFAULT: ScryptCost = { N: 32768, r: 8, p: 3 };

async function deriveKey(password: string, salt: Uint8Array, cost: ScryptCost): Promise<MasterKey> {
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const options = { ...cost, maxmem: SCRYPT_MEMORY_MAX_BYTES + 1 };
    scrypt(password, salt, 64, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
  return masterKeyFromBytes(bytes);
}

export interface KeyOwner {
  readonly username: string;
  readonly hostname: string;
  /** RFC 3339. */
  readonly created: string;
}

/** The bytes of a new key file that opens `masterKey` with `password`. */
export async function createKeyFile(
  masterKey: MasterKey,
  password: string,
  owner: KeyOwner,
  random: Random,
  cost: ScryptCost = SCRYPT_COST_DEFAULT,
): Promise<Uint8Array> {
  const salt = random.fill(new Uint8Array(64));
  using cipher = new BoxCipher(await deriveKey(password, salt, cost), random);
  const file: KeyFile = {
    created: owner.created,
    username: owner.username,
    hostname: owner.hostname,
    kdf: "scrypt",
    ...cost,
    salt: Buffer.from(salt).toString("base64"),
    data: Buffer.from(cipher.seal(encodeMasterKey(masterKey))).toString("base64"),
  };
  return Buffer.from(JSON.stringify(file));
}

/** Checks everything about a key file that needs no password. */
export function parseKeyFile(bytes: Uint8Array, name: string): KeyFile {
  const what = `key ${name.slice(0, 8)}`;
  const bad = (why: string, cause?: unknown): ComebackError =>
    damaged(what, why, cause, BRING_BACK);
  if (createHash("sha256").update(bytes).digest("hex") !== name) {
    throw bad("its content does not match its name");
  }
  let file: Partial<KeyFile> | null;
  try {
    file = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw bad("it is not JSON", cause);
  }
  if (typeof file !== "object" || file === null) throw bad("it is not a JSON object");
  if (file.kdf !== "scrypt") {
    throw new ComebackError("repository.unknown-version", `${what} cannot be used`, {
      why: "it derives its key in a way other than scrypt",
      next: "use a newer version of Comeback, or restic",
    });
  }
  const { N, r, p } = file;
  const whole = [N, r, p].every((value) => Number.isSafeInteger(value) && (value as number) > 0);
  if (!whole || typeof file.salt !== "string" || typeof file.data !== "string") {
    throw bad("a field is missing or of the wrong type");
  }
  const powerOfTwo = N! > 1 && Number.isInteger(Math.log2(N!));
  const withinBounds = 128 * N! * r! <= SCRYPT_MEMORY_MAX_BYTES && N! * r! * p! <= SCRYPT_WORK_MAX;
  if (!powerOfTwo || !withinBounds) {
    throw bad("its scrypt parameters are outside all reason");
  }
  return {
    created: String(file.created ?? ""),
    username: String(file.username ?? ""),
    hostname: String(file.hostname ?? ""),
    kdf: "scrypt",
    N: N!,
    r: r!,
    p: p!,
    salt: file.salt,
    data: file.data,
  };
}

/** The master key inside `file`, or `undefined` where the password is not this key's. */
export async function openKeyFile(
  file: KeyFile,
  password: string,
  random: Random,
): Promise<MasterKey | undefined> {
  const salt = Buffer.from(file.salt, "base64");
  using cipher = new BoxCipher(await deriveKey(password, salt, file), random);
  const json = cipher.open(Buffer.from(file.data, "base64"));
  return json === undefined ? undefined : decodeMasterKey(json);
}
