export { buildTree } from "./build-tree.ts";
export {
  compareTrees,
  type CompareOptions,
  describeDifferences,
  type Difference,
  type DifferenceKind,
} from "./compare-trees.ts";
export { ACCESS_ACL, DEFAULT_ACL, encodeAcl } from "./posix-acl.ts";
export { randomTree, type RandomTreeOptions, randomTreeSpec } from "./random-tree.ts";
export * from "./tree-spec.ts";
