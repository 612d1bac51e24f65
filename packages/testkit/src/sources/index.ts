export {
  describeTree,
  type ReadSource,
  readSource,
  type WalkedSource,
  walkSource,
} from "./walk-source.ts";
