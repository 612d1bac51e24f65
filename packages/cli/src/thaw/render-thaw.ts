import { estimateThaw, type ThawPlan, type ThawPrice } from "@comeback/engine";
import { formatBytes, formatMany } from "../terminal/format-values.ts";

export interface ThawChoice {
  /** undefined where nothing is archived. */
  readonly tier: string | undefined;
  readonly days: number;
  readonly price: ThawPrice | undefined;
  readonly isDryRun: boolean;
}

/** The plan, for a person. */
export function renderThawPlan(plan: ThawPlan, choice: ThawChoice): string[] {
  const packs = plan.groups.map(
    ({ storageClass, state, packs: count, bytes }) =>
      `  ${storageClass.padEnd(14)} ${state.padEnd(9)} ${formatMany(count, "pack").padStart(12)}` +
      ` ${formatBytes(bytes).padStart(11)}`,
  );
  const lines = ["a restore needs:", ...(packs.length === 0 ? ["  nothing"] : packs)];
  if (choice.tier === undefined) return lines;
  const tiers = plan.tiers.map(({ name, waitHours }) => {
    const mark = name === choice.tier ? "*" : " ";
    const cost = costText(estimateThaw(plan, { ...choice, tier: name })?.dollars);
    return `${mark} ${name.padEnd(14)} ${waitText(waitHours).padEnd(20)} ${cost}`;
  });
  const verb = choice.isDryRun ? "would be" : "is";
  return [
    ...lines,
    "",
    `tiers (* ${verb} asked for), readable for ${formatMany(choice.days, "day")}:`,
    ...tiers,
    choice.price === undefined
      ? "  costs are estimates from Amazon's list prices of early 2025 (us-east-1)"
      : "  costs are estimates from the prices given",
  ];
}

function waitText(hours: number): string {
  return hours < 1 ? `within ${Math.round(hours * 60)} minutes` : `within ${hours} hours`;
}

function costText(dollars: number | undefined): string {
  if (dollars === undefined) return "cost not known";
  return dollars < 0.01 ? "less than $0.01" : `about $${dollars.toFixed(2)}`;
}

/** The plan and what came of it, for a script. */
export function thawMessage(
  plan: ThawPlan,
  choice: ThawChoice,
  asked: number,
): Record<string, unknown> {
  const { tier, days } = choice;
  return {
    message_type: "summary",
    dry_run: choice.isDryRun,
    groups: plan.groups.map(({ storageClass, state, packs, bytes }) => ({
      storage_class: storageClass,
      state,
      packs,
      bytes,
    })),
    ...(tier === undefined ? {} : { tier, days }),
    tiers: plan.tiers.map(({ name, waitHours }) => ({
      name,
      wait_hours: waitHours,
      estimated_dollars: estimateThaw(plan, { ...choice, tier: name })?.dollars,
    })),
    packs_asked: asked,
  };
}
