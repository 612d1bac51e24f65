import type { ByteString } from "@comeback/core";
import type { TreeNode } from "../tree/types.ts";

/** Goes through a stored tree beside the entries of the same folder: both in order of raw names. */
export class NodeCursor {
  readonly #nodes: readonly TreeNode[];
  #next = 0;
  /** Nodes were passed over that have no entry of their name any more. */
  hasSkipped = false;

  constructor(nodes: readonly TreeNode[]) {
    this.#nodes = nodes;
  }

  get length(): number {
    return this.#nodes.length;
  }

  /** The node of this name. The names that are asked for ascend. */
  match(name: ByteString): TreeNode | undefined {
    for (;;) {
      const node = this.#nodes[this.#next];
      if (node === undefined || node.name > name) return undefined;
      this.#next++;
      if (node.name === name) return node;
      this.hasSkipped = true;
    }
  }

  /** The nodes behind the last name that was asked for. */
  rest(): readonly TreeNode[] {
    return this.#nodes.slice(this.#next);
  }
}
