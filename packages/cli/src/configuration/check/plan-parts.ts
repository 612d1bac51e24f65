import type { CommandRunner, ProtectedSource, Snapshotter } from "@comeback/core";
import type {
  LoadedConfiguration,
  SnapshotterSettings,
  SourceSettings,
} from "@comeback/operations";
import type { CommandContext } from "../../context.ts";

/** What the parts of a plan are made of. Where one is not given, or not for a kind, it is not looked at. */
export interface PlanParts {
  readonly commands: CommandRunner;
  makeSource?(settings: SourceSettings): ProtectedSource | undefined;
  makeSnapshotter?(settings: SnapshotterSettings): Snapshotter | undefined;
}

/** A plan that is looked at, and the world. */
export interface CheckWish {
  readonly context: CommandContext;
  readonly loaded: LoadedConfiguration;
  readonly parts: PlanParts;
}
