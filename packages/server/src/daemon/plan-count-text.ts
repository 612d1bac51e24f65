export function planCountText(plans: number): string {
  return plans === 1 ? "1 plan" : `${plans} plans`;
}
