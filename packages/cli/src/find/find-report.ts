import type { FoundBlob, FoundObject, Snapshot, WalkedNode } from "@comeback/engine";
import { longLine } from "../listing/render-node.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatLocalTime } from "../terminal/format-values.ts";
import type { LineWriter } from "../terminal/line-writer.ts";
import { matchMessage, objectMessage } from "./find-messages.ts";

export interface FindReportOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly long: boolean;
  readonly humanReadable: boolean;
}

/** Prints what was found as it is found: in restic's JSON, or for a person. */
export class FindReport {
  readonly #writer: LineWriter;
  readonly #options: FindReportOptions;
  #snapshot: Snapshot | undefined;
  #hits = 0;
  #objects = 0;

  constructor(writer: LineWriter, options: FindReportOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  entry(match: WalkedNode, snapshot: Snapshot): void {
    const { json, long, humanReadable } = this.#options;
    if (snapshot !== this.#snapshot) this.#startSnapshot(snapshot);
    if (json) this.#item(JSON.stringify(matchMessage(match)), this.#hits > 0);
    else this.#writer.writeNames(long ? longLine(match, humanReadable) : match.path);
    this.#hits++;
  }

  object(match: FoundObject, snapshot: Snapshot, place: FoundBlob | undefined): void {
    const writer = this.#writer;
    if (this.#options.json) {
      if (this.#objects === 0) writer.writeText("[");
      this.#item(JSON.stringify(objectMessage(match, snapshot, place)), this.#objects > 0);
    } else {
      const isData = match.type === "data";
      writer.writeText(`Found ${isData ? "blob" : "tree"} ${match.id}`);
      writer.writeNames(` ... ${isData ? "in file" : "path"} ${match.path}`);
      if (match.parentTreeId !== undefined) writer.writeText(`     (tree ${match.parentTreeId})`);
      const time = formatLocalTime(snapshot.time);
      writer.writeText(` ... in snapshot ${shortId(snapshot.id)} (${time})`);
      if (place !== undefined) {
        const { packId, offset, length } = place;
        writer.writeText(` ... in pack ${packId}, offset ${offset}, length ${length}`);
      }
    }
    this.#objects++;
  }

  /** The end of the JSON. */
  finish(): void {
    if (this.#options.json) {
      if (this.#snapshot !== undefined) this.#endSnapshot(this.#snapshot, "");
      const isEmpty = this.#snapshot === undefined && this.#objects === 0;
      this.#writer.writeText(isEmpty ? "[]" : "]");
    }
    this.#writer.flush();
  }

  #item(text: string, isFurther: boolean): void {
    this.#writer.writeText(isFurther ? `,${text}` : text);
  }

  #startSnapshot(snapshot: Snapshot): void {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    const { json, quiet } = this.#options;
    if (json) {
      if (before === undefined) this.#writer.writeText("[");
      else this.#endSnapshot(before, ",");
      this.#writer.writeText(`{"matches":[`);
    } else if (!quiet) {
      if (before !== undefined) this.#writer.writeText("");
      const time = formatLocalTime(snapshot.time);
      const which = `${shortId(snapshot.id)} from ${time}`;
      this.#writer.writeText(`Found matching entries in snapshot ${which}`);
    }
    this.#hits = 0;
  }

  #endSnapshot({ id }: Snapshot, behind: string): void {
    this.#writer.writeText(`],"hits":${this.#hits},"snapshot":"${id}"}${behind}`);
  }
}
