export { commandSnapshotter, type CommandSnapshotterOptions } from "./command-snapshotter.ts";
export { type CommandOptions, protectCommand } from "./protect-command.ts";
