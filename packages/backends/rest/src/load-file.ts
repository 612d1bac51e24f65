import { ComebackError, fileLabel, fileNotFound, fileTooShort, messageOf } from "@comeback/core";
import { REST_FILE_MAX_BYTES } from "@comeback/core";
import type { LoadOptions, RepositoryFile, TransferPace } from "@comeback/core";
import { readExactly, WrongLength } from "./read-body.ts";
import type { CallWish, Exchange, RestClient } from "./rest-client.ts";
import { type CallLimits, unhurried } from "./stall-guard.ts";
import { pathOf } from "./rest-paths.ts";
import { fileSize } from "./stat-file.ts";

type Bytes = Uint8Array<ArrayBuffer>;

interface Wanted {
  readonly file: RepositoryFile;
  readonly offset: number;
  /** Undefined for all to the end. */
  readonly length: number | undefined;
  readonly pace: TransferPace | undefined;
}

/** The server's answer does not fit the question: was the question beyond the end of the file? */
class OutOfRange extends Error {}

/** Loads exactly the range asked for: what the server says of the range is held against it. */
export async function loadFile(
  client: RestClient,
  file: RepositoryFile,
  options: LoadOptions & { readonly limits?: CallLimits },
): Promise<Bytes> {
  const { offset = 0, length, signal, pace } = options;
  const { limits = pace === undefined ? undefined : unhurried(client.server.limits) } = options;
  const wanted: Wanted = { file, offset, length, pace };
  const end = offset + (length ?? 0);
  // No header can ask for no bytes, and none for bytes that no file has.
  if (length === 0 || !Number.isSafeInteger(end)) return await loadNothing(client, wanted, signal);
  const wish: CallWish = {
    method: "GET",
    path: pathOf(client.server.basePath, file),
    doing: `loading ${fileLabel(file)}`,
    headers: rangeHeader(wanted),
    signal,
    alsoAccept: [404, 416],
    ...(limits === undefined ? {} : { limits }),
  };
  try {
    return await client.call(wish, (exchange) => readAnswer(client, wanted, exchange));
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const isParser = String((cause as NodeJS.ErrnoException | undefined)?.code).startsWith("HPE_");
    if (cause instanceof OutOfRange || (isParser && offset > 0)) {
      return await explainRange(client, wanted, error, signal);
    }
    throw error;
  }
}

function rangeHeader({ offset, length }: Wanted): Record<string, string> {
  if (offset === 0 && length === undefined) return {};
  return { range: `bytes=${offset}-${length === undefined ? "" : offset + length - 1}` };
}

async function readAnswer(client: RestClient, wanted: Wanted, exchange: Exchange): Promise<Bytes> {
  const { answer, guard } = exchange;
  const { file, offset } = wanted;
  if (answer.status === 404) {
    await exchange.skipBody();
    const missing = fileNotFound(file, client.server.location);
    // rclone says so as well where a range begins beyond the end.
    throw offset > 0
      ? new OutOfRange("the server finds no such range", { cause: missing })
      : missing;
  }
  const length = announcedLength(wanted, exchange);
  if (length > REST_FILE_MAX_BYTES) {
    throw new ComebackError("backend.io", `${fileLabel(file)} is too large to be one of ours`, {
      why: `${client.server.name} says that it has ${length} bytes`,
      next: "run `comeback check` to see what else is affected",
    });
  }
  guard.expect(length);
  try {
    return await readExactly(answer.body, length, guard, wanted.pace);
  } catch (error) {
    if (!(error instanceof WrongLength)) throw error;
    throw new ComebackError("backend.io", `${fileLabel(file)} did not come whole`, {
      why: `${client.server.name}: ${error.message}`,
      next: "repeat the command; if that does not help, look into the server's log",
      retryable: true,
      cause: error,
    });
  }
}

/** How many bytes come, where they are the ones that were asked for. */
function announcedLength(wanted: Wanted, { answer }: Exchange): number {
  const { offset, length } = wanted;
  const contentLength = lengthOf(answer.header("content-length"));
  if (answer.status === 416) throw new OutOfRange("the server has no such range");
  if (answer.status === 206) {
    const told = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.header("content-range") ?? "");
    const [first, last, total] = [Number(told?.[1]), Number(told?.[2]), Number(told?.[3])];
    const expectedEnd = length === undefined ? total : offset + length;
    const isRight = told !== null && first === offset && last + 1 === expectedEnd;
    if (isRight && contentLength === expectedEnd - offset) return contentLength;
    throw new OutOfRange("the server answered with another range");
  }
  if (contentLength === undefined)
    throw new OutOfRange("the server does not say how much it sends");
  if (offset === 0 && (length === undefined || length === contentLength)) return contentLength;
  throw new OutOfRange("the server sent the whole file instead of the range");
}

function lengthOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

async function loadNothing(
  client: RestClient,
  wanted: Wanted,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  const { file, offset, length = 0 } = wanted;
  const sizeBytes = await fileSize(client, file, signal);
  if (offset + length > sizeBytes) throw fileTooShort(file, offset + length);
  return new Uint8Array(0);
}

/** The range is beyond the end, or ends just there, or the server is at fault. */
async function explainRange(
  client: RestClient,
  wanted: Wanted,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  const { file, offset, length } = wanted;
  const sizeBytes = await fileSize(client, file, signal);
  if (offset + (length ?? 0) > sizeBytes) throw fileTooShort(file, offset + (length ?? 0));
  if (length === undefined && offset === sizeBytes) return new Uint8Array(0);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof OutOfRange && cause.cause !== undefined) throw cause.cause;
  throw new ComebackError("backend.io", `loading a part of ${fileLabel(file)} failed`, {
    why: `${client.server.name}: ${messageOf(cause ?? error)}`,
    next: "check the proxy between: ranges (RFC 9110, section 14) have to reach the server",
    cause: error,
  });
}
