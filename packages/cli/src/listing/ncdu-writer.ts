import type { ByteString } from "@comeback/core";
import type { Snapshot, WalkedNode } from "@comeback/engine";
import {
  jsonInnerFromBytes,
  jsonValueText,
  parseTime,
  permissionsFromGoMode,
} from "@comeback/engine/tree";
import type { LineWriter } from "../terminal/line-writer.ts";

/** Of ncdu's export format, as restic writes it. */
const VERSION = "1, 2";
const BLOCK_BYTES = 512n;
const INDENT = "  ";

/** The format in which `ncdu -f` reads a listing (https://dev.yorhel.nl/ncdu/jsonfmt). */
export class NcduWriter {
  readonly #writer: LineWriter;
  /** Paths of the folders whose lists are open. */
  readonly #open: ByteString[] = [];
  /** Written once it is known what follows: nothing but a comma may stand at its end. */
  #line = "";

  constructor(writer: LineWriter) {
    this.#writer = writer;
  }

  start(snapshot: Snapshot): void {
    const stored = jsonValueText({ ...snapshot, id: undefined });
    this.#line = `[${VERSION}, ${stored}, [{"name":"/"}`;
  }

  /** Entries come as a walk gives them: a folder before what is in it. */
  add({ path, node }: WalkedNode): void {
    this.#closeUntil(path.slice(0, path.lastIndexOf("/")));
    const indent = INDENT.repeat(this.#open.length + 1);
    this.#next(",");
    if (node.type !== "dir") {
      this.#line = indent + entryText(node);
      return;
    }
    this.#writer.writeText(`${indent}[`);
    this.#line = `${indent}${INDENT}${entryText(node)}`;
    this.#open.push(path);
  }

  finish(): void {
    this.#closeUntil("");
    this.#next("");
    this.#writer.writeText("]");
    this.#writer.writeText("]");
    this.#writer.flush();
  }

  #closeUntil(folder: ByteString): void {
    while (this.#open.length > 0 && this.#open.at(-1) !== folder) {
      this.#next("");
      this.#line = `${INDENT.repeat(this.#open.length)}]`;
      this.#open.pop();
    }
  }

  #next(behind: string): void {
    this.#writer.writeText(this.#line + behind);
  }
}

function entryText(node: WalkedNode["node"]): string {
  const size = BigInt(node.size);
  const blocks = (size + BLOCK_BYTES - 1n) / BLOCK_BYTES;
  const isOdd = node.type !== "dir" && node.type !== "file";
  // ncdu knows no times before 1970.
  const seconds = Math.max(0, parseTime(node.mtime).seconds);
  return (
    `{"name":"${jsonInnerFromBytes(node.name)}","asize":${size},"dsize":${blocks * BLOCK_BYTES}` +
    `,"dev":${node.device_id},"ino":${node.inode},"nlink":${node.links},"notreg":${isOdd}` +
    `,"uid":${node.uid},"gid":${node.gid},"mode":${permissionsFromGoMode(node.mode)}` +
    `,"mtime":${seconds}}`
  );
}
