import type { Readable, Writable } from "node:stream";
import { assert } from "@comeback/core";
import { encodePacket, Request } from "./packet-writer.ts";
import type { Field } from "./packet-writer.ts";
import { PacketReader, ProtocolError, Reply, Status } from "./packet-reader.ts";
import type { FileAttributes } from "./packet-reader.ts";
import { PacketSplitter } from "./packet-splitter.ts";
import { SftpStatusError } from "./sftp-status-error.ts";

const VERSION = 3;

/** Reads a reply's body while it is there; what it keeps it has to copy. */
type Receive<T> = (type: number, body: PacketReader) => T;

interface PendingRequest {
  receive(type: number, body: PacketReader): void;
  reject(error: unknown): void;
}

export interface ListedName {
  readonly name: string;
  readonly attributes: FileAttributes;
}

export interface FileSystemSpace {
  readonly freeBytes: number;
  readonly freeFiles: number;
  readonly isReadOnly: boolean;
}

export interface ServerLimits {
  readonly readBytes: number;
  readonly writeBytes: number;
}

/** Ways a server may have beyond version 3: names that OpenSSH gave them. */
export type Extension =
  | "fsync@openssh.com"
  | "hardlink@openssh.com"
  | "limits@openssh.com"
  | "posix-rename@openssh.com"
  | "statvfs@openssh.com";

/**
 * Speaks SFTP over two streams. Any number of requests may be under way: each is sent at once, in
 * the order of the calls, and servers carry out those of one file in that order (draft 02,
 * section 6.1). When the streams end, or carry something else than SFTP, all of them reject.
 */
export class SftpClient {
  /** Told once what came that was not SFTP; it then calls `fail`. */
  onProtocolError: (error: unknown) => void = (error) => this.fail(error);
  readonly #output: Writable;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #splitter = new PacketSplitter((packet) => this.#onPacket(packet));
  readonly #greeted = Promise.withResolvers<void>();
  readonly #extensions = new Map<string, string>();
  #isGreeted = false;
  #nextId = 0;
  #failure: unknown;
  /** Counts what has come or gone, to tell a slow connection from one that hangs. */
  #moves = 0;

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    input.on("data", (chunk: Buffer) => this.#onBytes(chunk));
    output.on("drain", () => this.#moves++);
    output.write(encodePacket(Request.init, undefined, [{ uint32: VERSION }]));
    this.#greeted.promise.catch(() => undefined);
  }

  /** Resolves once the server has said who it is. */
  get greeted(): Promise<void> {
    return this.#greeted.promise;
  }

  get moves(): number {
    return this.#moves;
  }

  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /** Rejects everything under way and to come. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#greeted.reject(error);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  has(extension: Extension): boolean {
    return this.#extensions.has(extension);
  }

  open(path: string, flags: number, mode?: number): Promise<Uint8Array> {
    const fields = [{ string: path }, { uint32: flags }, { mode }];
    return this.#request(Request.open, fields, receiveHandle);
  }

  close(handle: Uint8Array): Promise<void> {
    return this.#request(Request.close, [{ string: handle }], receiveDone);
  }

  /** Bytes that were read into `target`: fewer where the server sends fewer, 0 at the end. */
  read(handle: Uint8Array, offset: number, target: Uint8Array): Promise<number> {
    const fields = [{ string: handle }, { uint64: offset }, { uint32: target.byteLength }];
    return this.#request(Request.read, fields, (type, body) => {
      if (type === Reply.data) {
        const data = body.string();
        if (data.length > target.byteLength || data.length === 0) {
          throw new ProtocolError(`${data.length} bytes came for a read of ${target.byteLength}`);
        }
        target.set(data);
        return data.length;
      }
      const error = statusOf(type, body);
      if (error?.status === Status.endOfFile) return 0;
      throw error ?? new ProtocolError("a read without data");
    });
  }

  /** `data` must stay as it is until this settles. */
  write(handle: Uint8Array, offset: number, data: Uint8Array): Promise<void> {
    const fields = [{ string: handle }, { uint64: offset }];
    return this.#request(Request.write, fields, receiveDone, data);
  }

  stat(path: string): Promise<FileAttributes> {
    return this.#request(Request.stat, [{ string: path }], receiveAttributes);
  }

  lstat(path: string): Promise<FileAttributes> {
    return this.#request(Request.lstat, [{ string: path }], receiveAttributes);
  }

  fstat(handle: Uint8Array): Promise<FileAttributes> {
    return this.#request(Request.fstat, [{ string: handle }], receiveAttributes);
  }

  setMode(path: string, mode: number): Promise<void> {
    return this.#request(Request.setstat, [{ string: path }, { mode }], receiveDone);
  }

  setHandleMode(handle: Uint8Array, mode: number): Promise<void> {
    return this.#request(Request.fsetstat, [{ string: handle }, { mode }], receiveDone);
  }

  openFolder(path: string): Promise<Uint8Array> {
    return this.#request(Request.opendir, [{ string: path }], receiveHandle);
  }

  /** Some entries of a folder; undefined when there are no more. */
  readFolder(handle: Uint8Array): Promise<ListedName[] | undefined> {
    return this.#request(Request.readdir, [{ string: handle }], receiveNames);
  }

  makeFolder(path: string, mode: number): Promise<void> {
    return this.#request(Request.mkdir, [{ string: path }, { mode }], receiveDone);
  }

  removeFolder(path: string): Promise<void> {
    return this.#request(Request.rmdir, [{ string: path }], receiveDone);
  }

  remove(path: string): Promise<void> {
    return this.#request(Request.remove, [{ string: path }], receiveDone);
  }

  /** Version 3 lets it fail where the new name is taken; not every server does. */
  rename(from: string, to: string): Promise<void> {
    return this.#request(Request.rename, [{ string: from }, { string: to }], receiveDone);
  }

  /** Replaces what has the new name. */
  replace(from: string, to: string): Promise<void> {
    return this.#extended("posix-rename@openssh.com", [{ string: from }, { string: to }]);
  }

  /** A second name for a file; fails where it is taken. */
  link(from: string, to: string): Promise<void> {
    return this.#extended("hardlink@openssh.com", [{ string: from }, { string: to }]);
  }

  sync(handle: Uint8Array): Promise<void> {
    return this.#extended("fsync@openssh.com", [{ string: handle }]);
  }

  space(path: string): Promise<FileSystemSpace> {
    const fields = [{ string: "statvfs@openssh.com" }, { string: path }];
    return this.#request(Request.extended, fields, (type, body) => {
      if (type !== Reply.extended) throw unexpected(type, body);
      body.uint64();
      const fragmentBytes = body.uint64();
      for (let skipped = 0; skipped < 2; skipped++) body.uint64();
      const freeBytes = body.uint64() * fragmentBytes;
      for (let skipped = 0; skipped < 2; skipped++) body.uint64();
      const freeFiles = body.uint64();
      body.uint64();
      return { freeBytes, freeFiles, isReadOnly: body.uint64() % 2 === 1 };
    });
  }

  /** What one request may ask for or carry; 0 where the server names no limit. */
  limits(): Promise<ServerLimits> {
    const fields = [{ string: "limits@openssh.com" }];
    return this.#request(Request.extended, fields, (type, body) => {
      if (type !== Reply.extended) throw unexpected(type, body);
      body.uint64();
      return { readBytes: body.uint64(), writeBytes: body.uint64() };
    });
  }

  #extended(extension: Extension, fields: readonly Field[]): Promise<void> {
    return this.#request(Request.extended, [{ string: extension }, ...fields], receiveDone);
  }

  #request<T>(
    type: number,
    fields: readonly Field[],
    receive: Receive<T>,
    data?: Uint8Array,
  ): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    assert(this.#isGreeted, "a request is sent before the server's greeting");
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) % 2 ** 32;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#pending.set(id, {
      receive: (replyType, body) => resolve(receive(replyType, body)),
      reject,
    });
    const output = this.#output;
    output.cork();
    output.write(encodePacket(type, id, fields, data?.byteLength));
    if (data !== undefined && data.byteLength > 0) output.write(data);
    // One system call takes all that is sent in this turn.
    process.nextTick(() => output.uncork());
    return promise;
  }

  #onBytes(chunk: Buffer): void {
    this.#moves++;
    if (this.#failure !== undefined) return;
    try {
      this.#splitter.push(chunk);
    } catch (error) {
      this.onProtocolError(error);
    }
  }

  #onPacket(packet: Buffer): void {
    if (this.#failure !== undefined) return;
    const body = new PacketReader(packet);
    const type = body.byte();
    if (!this.#isGreeted) {
      this.#onGreeting(type, body);
      return;
    }
    const id = body.uint32();
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new ProtocolError(`a reply to request ${id}, which is none`);
    this.#pending.delete(id);
    try {
      pending.receive(type, body);
    } catch (error) {
      pending.reject(error);
      if (error instanceof ProtocolError) throw error;
    }
  }

  #onGreeting(type: number, body: PacketReader): void {
    if (type !== Reply.version) throw new ProtocolError(`type ${type} instead of a greeting`);
    const version = body.uint32();
    if (version < VERSION) throw new ProtocolError(`it speaks only version ${version} of SFTP`);
    while (body.remainingBytes > 0) this.#extensions.set(body.text(), body.text());
    this.#isGreeted = true;
    this.#greeted.resolve();
  }
}

function receiveHandle(type: number, body: PacketReader): Uint8Array {
  if (type !== Reply.handle) throw unexpected(type, body);
  return Uint8Array.from(body.string());
}

function receiveAttributes(type: number, body: PacketReader): FileAttributes {
  if (type !== Reply.attributes) throw unexpected(type, body);
  return body.attributes();
}

function receiveDone(type: number, body: PacketReader): void {
  const error = statusOf(type, body);
  if (error === undefined) throw new ProtocolError(`a reply of type ${type}, and no status`);
  if (error.status !== Status.ok) throw error;
}

function receiveNames(type: number, body: PacketReader): ListedName[] | undefined {
  if (type !== Reply.name) {
    const error = statusOf(type, body);
    if (error?.status === Status.endOfFile) return undefined;
    throw error ?? unexpected(type, body);
  }
  const names: ListedName[] = [];
  for (let left = body.uint32(); left > 0; left--) {
    const name = body.text();
    body.string();
    names.push({ name, attributes: body.attributes() });
  }
  return names;
}

function statusOf(type: number, body: PacketReader): SftpStatusError | undefined {
  if (type !== Reply.status) return undefined;
  const status = body.uint32();
  // The earliest servers send no message.
  return new SftpStatusError(status, body.remainingBytes >= 4 ? body.text() : "");
}

function unexpected(type: number, body: PacketReader): Error {
  const error = statusOf(type, body);
  if (error === undefined) return new ProtocolError(`a reply of type ${type} is not the right one`);
  if (error.status !== Status.ok) return error;
  return new ProtocolError("the server says that all is well, and nothing else");
}
