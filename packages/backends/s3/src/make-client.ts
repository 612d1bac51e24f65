import { S3Client } from "@aws-sdk/client-s3";
import type { CredentialsProvider } from "./credentials.ts";
import type { S3Endpoint } from "./endpoint.ts";
import type { HttpHandler } from "./http-handler.ts";

export interface ClientOptions {
  readonly endpoint: S3Endpoint;
  /** undefined: anonymous. */
  readonly credentials: CredentialsProvider | undefined;
  readonly handler: HttpHandler;
}

const silent = (): void => {};
/** The SDK would print its advice among our output. */
const NO_LOG = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };

/** The SDK, with all that it would do by itself turned off that is done elsewhere or not wanted. */
export function makeClient(options: ClientOptions): S3Client {
  const { endpoint, credentials, handler } = options;
  return new S3Client({
    endpoint: endpoint.url,
    region: endpoint.region,
    forcePathStyle: endpoint.isPathStyle,
    // A wrapper around the backend retries, with one time limit for all.
    maxAttempts: 1,
    // The signature covers the SHA-256 of every body, which every store verifies. A CRC beside it
    // would be read twice more, and older stores do not know its trailer.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    followRegionRedirects: false,
    logger: NO_LOG,
    requestHandler: handler,
    ...(credentials === undefined
      ? {
          credentials: { accessKeyId: "", secretAccessKey: "" },
          signer: { sign: (request) => Promise.resolve(request) },
        }
      : { credentials }),
  });
}
