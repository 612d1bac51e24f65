import { readdirSync, readFileSync } from "node:fs";

/** A process with all that it has started, and these in turn; those that end meanwhile are left out. */
export function processTree(root: number): { readonly pid: number; readonly command: string }[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : undefined;
    if (parent !== undefined) {
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    }
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree.map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll("\0", " ") }));
}

function parentOf(pid: string): number | undefined {
  const text = read(`/proc/${pid}/stat`);
  // "4711 (name, with any bytes) S 1 …"
  const parent = / (\d+)/.exec(text.slice(text.lastIndexOf(")") + 2))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
