import { readFile } from "node:fs/promises";
import { ComebackError } from "@comeback/core";
import type { S3Settings } from "./settings.ts";

/** A key that the store uses for one call and forgets. */
interface CustomerKey {
  readonly SSECustomerAlgorithm: "AES256";
  readonly SSECustomerKey: string;
}

/** Encryption by the store, beside ours: what goes into each kind of request. */
export interface Encryption {
  readonly write: Partial<CustomerKey> & {
    readonly ServerSideEncryption?: "AES256" | "aws:kms" | "aws:kms:dsse";
    readonly SSEKMSKeyId?: string;
  };
  readonly read: Partial<CustomerKey>;
}

const KEY_BYTES = 32;

export async function encryptionFrom(settings: S3Settings): Promise<Encryption> {
  const { sse, sseKmsKeyId, sseCustomerKeyPath } = settings;
  if (sseKmsKeyId !== undefined && sse !== "aws:kms" && sse !== "aws:kms:dsse") {
    throw new ComebackError("option.invalid", "-o s3.sse-kms-key-id needs -o s3.sse=aws:kms");
  }
  if (sseCustomerKeyPath === undefined) {
    const key = sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: sseKmsKeyId };
    return { write: sse === undefined ? {} : { ServerSideEncryption: sse, ...key }, read: {} };
  }
  if (sse !== undefined) {
    throw new ComebackError(
      "option.invalid",
      "-o s3.sse and -o s3.sse-c-key-file exclude each other",
      {
        next: "leave out one of them",
      },
    );
  }
  const customer: CustomerKey = {
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: await readKey(sseCustomerKeyPath),
  };
  return { write: customer, read: customer };
}

/** As 32 bytes, or in base64 or hexadecimal digits; in base64, as the SDK wants it. */
async function readKey(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ComebackError("option.invalid", "the file of -o s3.sse-c-key-file cannot be read", {
      next: `check the path: ${path}`,
      cause,
    });
  }
  const text = bytes.toString("latin1").trim();
  const candidates = [bytes, Buffer.from(text, "base64"), Buffer.from(text, "hex")];
  const key = candidates.find((candidate) => candidate.byteLength === KEY_BYTES);
  if (key !== undefined) return key.toString("base64");
  throw new ComebackError("option.invalid", "the file of -o s3.sse-c-key-file holds no key", {
    next: `make one with: openssl rand -base64 ${KEY_BYTES} > ${path}`,
  });
}
