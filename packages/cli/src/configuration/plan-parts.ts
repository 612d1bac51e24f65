import { systemCommandRunner } from "@comeback/platform";
import type { PlanParts } from "./check/plan-parts.ts";

/** The adapters that plans of this program are made of. */
export const PLAN_PARTS: PlanParts = { commands: systemCommandRunner };
