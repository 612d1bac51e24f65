import type { HttpFault, HttpFaultChoice, SeenRequest } from "@comeback/testkit";
import { SeededRandom } from "@comeback/testkit";

export type Answer = Extract<HttpFault, { kind: "answer" }>;

export interface HttpStormOptions {
  readonly seed: number;
  /** How the service itself says that it is asked for too much. */
  readonly slowDown: Answer;
  /** Every n-th request meets a fault. */
  readonly every: number;
}

type MakeFault = (request: SeenRequest, random: SeededRandom) => HttpFault | undefined;

function isUpload({ method }: SeenRequest): boolean {
  return method === "PUT" || method === "POST";
}

/** A request for what is in one file, whose name says which content it must have. */
function isNamedFile({ url }: SeenRequest): boolean {
  return /\/[0-9a-f]{64}(\?|$)/.test(url);
}

/** All that goes wrong without a byte being another; a few at a time, so that all have their turn. */
function passingFaults(slowDown: Answer): ReadonlyMap<string, MakeFault> {
  const again = { "retry-after": "1" };
  return new Map<string, MakeFault>([
    ["drop", () => ({ kind: "drop" })],
    ["answer 500", () => ({ kind: "answer", status: 500 })],
    [
      "cut upload",
      (request, random) =>
        isUpload(request)
          ? { kind: "cut-upload", keepBytes: random.integer(0, 400_000) }
          : undefined,
    ],
    ["slow down", () => slowDown],
    [
      "truncate",
      ({ method }, random) =>
        method === "GET" ? { kind: "truncate", keepBytes: random.integer(0, 100_000) } : undefined,
    ],
    ["lost answer", () => ({ kind: "lost-answer" })],
    ["answer 429", () => ({ kind: "answer", status: 429, headers: again })],
    ["delay", (_request, random) => ({ kind: "delay", delayMs: random.integer(1, 300) })],
    ["answer 503", () => ({ kind: "answer", status: 503, headers: again })],
    [
      "flip upload",
      (request, random) =>
        isUpload(request) && isNamedFile(request)
          ? { kind: "flip-upload", atByte: random.integer(0, 100) }
          : undefined,
    ],
  ]);
}

/** Faults that come and go, by a seed: the same requests in the same order meet the same ones. */
export class HttpStorm {
  /** The kinds that have not come yet. */
  readonly missing: Set<string>;
  readonly #random: SeededRandom;
  readonly #every: number;
  /** Who has had a turn goes to the end. */
  readonly #faults: (readonly [name: string, make: MakeFault])[];
  #requests = 0;

  constructor({ seed, slowDown, every }: HttpStormOptions) {
    this.#random = new SeededRandom(seed);
    this.#every = every;
    this.#faults = [...passingFaults(slowDown)];
    this.missing = new Set(this.#faults.map(([name]) => name));
  }

  readonly choose: HttpFaultChoice = (request) => {
    if (++this.#requests % this.#every !== 0) return undefined;
    for (const [index, entry] of this.#faults.entries()) {
      const [name, make] = entry;
      const fault = make(request, this.#random);
      if (fault === undefined) continue;
      this.#faults.splice(index, 1);
      this.#faults.push(entry);
      this.missing.delete(name);
      return fault;
    }
    return undefined;
  };
}

/** The first answer for each file has another bit; the next ones are as they should be. */
export function badFirstReadings(): { choose: HttpFaultChoice; readonly files: Set<string> } {
  const files = new Set<string>();
  const choose: HttpFaultChoice = (request) => {
    const [path = ""] = request.url.split("?");
    if (request.method !== "GET" || !isNamedFile(request) || files.has(path)) return undefined;
    files.add(path);
    return { kind: "flip", atByte: 100 };
  };
  return { choose, files };
}

/** A network device that changes a bit of whatever file of this kind comes through it. */
export function alwaysFlips(folder: string): HttpFaultChoice {
  return (request) => {
    const isThat = isNamedFile(request) && request.url.includes(`/${folder}/`);
    return request.method === "GET" && isThat ? { kind: "flip", atByte: 1_000 } : undefined;
  };
}
