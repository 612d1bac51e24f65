import { assert, type ByteString, cleanPath } from "@comeback/core";

/**
 * How targets lie in a snapshot. A node with a `target` is a leaf: what is at that path goes here.
 * A node without one is a folder above targets, which holds only them; its own attributes come
 * from `metadataFrom`.
 */
export type TargetNode = {
  nodes: Map<ByteString, TargetNode>;
  target: ByteString | undefined;
  metadataFrom: ByteString | undefined;
  /** The folder that a top-level name is in: tells `a` from `../a`. */
  root: ByteString;
};

/** The names in a folder, in any order; throws where it cannot be read. */
export type ListNames = (path: ByteString) => ByteString[];

/**
 * Lays targets out as restic does, so that both tools give a snapshot the same tree: absolute ones
 * under all their components, relative ones under the components behind any "..". A target that is
 * nothing but dots (or "/") stands for what is in it. Where targets lie within each other, the
 * outer one is dissolved into its entries. Two that would get the same place at the top are told
 * apart by a number.
 */
export function layOutTargets(targets: readonly ByteString[], listNames: ListNames): TargetNode {
  const top = newNode("");
  const seen = new Set<ByteString>();
  for (const target of targets.flatMap((each) => withoutDots(each, listNames))) {
    if (seen.has(target)) continue;
    seen.add(target);
    addTarget(top, target);
  }
  dissolve(top, listNames);
  return top;
}

function newNode(root: ByteString): TargetNode {
  return { nodes: new Map(), target: undefined, metadataFrom: undefined, root };
}

function withoutDots(target: ByteString, listNames: ListNames): ByteString[] {
  const clean = cleanPath(target);
  if (placeOf(clean).length > 0) return [clean];
  return listNames(clean)
    .sort()
    .map((name) => joinPath(clean, name));
}

/** The components under which a target is stored. */
function placeOf(target: ByteString): ByteString[] {
  return cleanPath(`/${target}`)
    .split("/")
    .filter((part) => part !== "");
}

/** The folder that holds the first of these components. */
function rootOf(target: ByteString): ByteString {
  if (target.startsWith("/")) return "/";
  const climbs = target.split("/").filter((part) => part === "..");
  return climbs.length === 0 ? "." : climbs.join("/");
}

export function joinPath(folder: ByteString, name: ByteString): ByteString {
  return cleanPath(`${folder}/${name}`);
}

function addTarget(top: TargetNode, target: ByteString): void {
  const [first, ...rest] = placeOf(target) as [ByteString, ...ByteString[]];
  const root = rootOf(target);
  let name = first;
  let node = top.nodes.get(name);
  for (let i = 1; node !== undefined && node.root !== root; i++) {
    name = `${first}-${String(i)}`;
    node = top.nodes.get(name);
  }
  if (node === undefined) top.nodes.set(name, (node = newNode(root)));
  let path = joinPath(root, first);
  for (const component of rest) {
    node.metadataFrom = path;
    path = joinPath(path, component);
    let next = node.nodes.get(component);
    if (next === undefined) node.nodes.set(component, (next = newNode("")));
    node = next;
  }
  node.target = target;
}

function dissolve(node: TargetNode, listNames: ListNames): void {
  const { target } = node;
  if (target !== undefined && node.nodes.size > 0) {
    for (const name of listNames(target)) {
      const path = joinPath(target, name);
      let inner = node.nodes.get(name);
      if (inner === undefined) node.nodes.set(name, (inner = newNode("")));
      inner.target ??= path;
      assert(inner.target === path, `${inner.target} and ${path} got the same place`);
    }
    node.target = undefined;
  }
  for (const inner of node.nodes.values()) dissolve(inner, listNames);
}
