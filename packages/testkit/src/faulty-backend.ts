import { ComebackError } from "@comeback/core";
import type {
  Backend,
  Clock,
  FileType,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
  SaveOptions,
} from "@comeback/core";

export type BackendMethod = "save" | "load" | "stat" | "list" | "remove";

export type Fault =
  /** The call is not made and fails. */
  | { readonly kind: "error"; readonly error?: Error }
  /** The call is made, but its answer is lost: it fails. */
  | { readonly kind: "lost-answer"; readonly error?: Error }
  /** `save` stores only the first bytes, then fails: a store that is not atomic. */
  | { readonly kind: "torn-save"; readonly keepBytes: number; readonly error?: Error }
  /** One byte of what is loaded, or stored, is another (counted from the end where negative). */
  | { readonly kind: "flip"; readonly atByte: number }
  /** `load` gives, or `save` stores, only the first bytes and says nothing. */
  | { readonly kind: "truncate"; readonly keepBytes: number }
  /** `list` names each file twice. */
  | { readonly kind: "repeat" }
  /** The call is made later. */
  | { readonly kind: "delay"; readonly delayMs: number; readonly clock: Clock };

export interface StagedFault {
  readonly method: BackendMethod;
  readonly fault: Fault;
  /** Only for calls on files of this type. */
  readonly type?: FileType;
  /** Only for calls on this file. */
  readonly name?: string;
  /** Which of the calls that fit: the first (default), every one, or the n-th, counted from 1. */
  readonly when?: "once" | "always" | number;
}

export interface RecordedCall {
  readonly method: BackendMethod;
  readonly type: FileType;
  /** "" for `list` and for the config. */
  readonly name: string;
}

/** The failure of a call that a fault was staged for. */
export function stagedFailure(message = "a staged failure"): ComebackError {
  return new ComebackError("backend.io", message, { retryable: true });
}

/** Stages failures in front of any backend, and records its calls. */
export class FaultyBackend implements Backend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote: boolean;
  readonly listLagMs: number;
  readonly calls: RecordedCall[] = [];
  readonly #inner: Backend;
  readonly #staged: { readonly staged: StagedFault; fitted: number }[] = [];
  #callsUntilCrash = Number.POSITIVE_INFINITY;
  #lastCall: "lost" | "made" = "lost";
  #crashed = false;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.location = inner.location;
    this.connections = inner.connections;
    this.isRemote = inner.isRemote;
    this.listLagMs = inner.listLagMs;
  }

  stage(staged: StagedFault): this {
    this.#staged.push({ staged, fitted: 0 });
    return this;
  }

  /**
   * The process "crashes": `calls` further calls work, the next one and all later ones fail, and so
   * do calls that are still under way then. The call at which it happens is lost before it reaches
   * the store, or `made` although nobody hears of it.
   */
  crashAfter(calls: number, lastCall: "lost" | "made" = "lost"): this {
    this.#callsUntilCrash = calls;
    this.#lastCall = lastCall;
    return this;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  async save(file: RepositoryFile, data: Uint8Array, options?: SaveOptions): Promise<void> {
    const fault = this.#begin("save", file);
    if (fault?.kind === "torn-save") {
      await this.#inner.save(file, data.slice(0, fault.keepBytes), options);
      throw fault.error ?? stagedFailure();
    }
    const stored = damagedCopy(data, fault);
    await this.#perform(fault, () => this.#inner.save(file, stored, options));
  }

  async load(file: RepositoryFile, options?: LoadOptions): Promise<Uint8Array<ArrayBuffer>> {
    const fault = this.#begin("load", file);
    const data = await this.#perform(fault, () => this.#inner.load(file, options));
    return damagedCopy(data, fault);
  }

  async stat(file: RepositoryFile, options?: OperationOptions): Promise<{ sizeBytes: number }> {
    return this.#perform(this.#begin("stat", file), () => this.#inner.stat(file, options));
  }

  async remove(file: RepositoryFile, options?: OperationOptions): Promise<void> {
    await this.#perform(this.#begin("remove", file), () => this.#inner.remove(file, options));
  }

  async *list(type: FileType, options?: OperationOptions): AsyncGenerator<ListedFile> {
    const fault = this.#begin("list", { type, name: "" });
    if (fault?.kind === "delay") await fault.clock.sleep(fault.delayMs);
    if (fault?.kind === "error") throw fault.error ?? stagedFailure();
    for await (const file of this.#inner.list(type, options)) {
      yield file;
      if (fault?.kind === "repeat") yield file;
    }
    if (fault?.kind === "lost-answer") throw fault.error ?? stagedFailure();
    if (this.#crashed) throw stagedFailure("crashed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #begin(method: BackendMethod, file: RepositoryFile): Fault | undefined {
    if (this.#crashed) throw stagedFailure("crashed");
    if (this.#callsUntilCrash-- <= 0) {
      this.#crashed = true;
      if (this.#lastCall === "lost") throw stagedFailure("crashed");
    }
    this.calls.push({ method, type: file.type, name: file.name });
    let chosen: Fault | undefined;
    for (const entry of this.#staged) {
      const { staged } = entry;
      if (staged.method !== method) continue;
      if (staged.type !== undefined && staged.type !== file.type) continue;
      if (staged.name !== undefined && staged.name !== file.name) continue;
      entry.fitted++;
      const when = staged.when ?? "once";
      const nth = when === "once" ? 1 : when;
      if (nth === "always" || nth === entry.fitted) chosen ??= staged.fault;
    }
    return chosen;
  }

  async #perform<T>(fault: Fault | undefined, call: () => Promise<T>): Promise<T> {
    if (fault?.kind === "error") throw fault.error ?? stagedFailure();
    if (fault?.kind === "delay") await fault.clock.sleep(fault.delayMs);
    const result = await call();
    if (fault?.kind === "lost-answer") throw fault.error ?? stagedFailure();
    // It did its work, but nobody is left to hear of it.
    if (this.#crashed) throw stagedFailure("crashed");
    return result;
  }
}

function damagedCopy(data: Uint8Array, fault: Fault | undefined): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(data);
  if (fault?.kind === "truncate") return copy.slice(0, fault.keepBytes);
  if (fault?.kind === "flip" && copy.byteLength > 0) {
    const at = fault.atByte < 0 ? copy.byteLength + fault.atByte : fault.atByte;
    if (at >= 0 && at < copy.byteLength) copy[at]! ^= 0x01;
  }
  return copy;
}
