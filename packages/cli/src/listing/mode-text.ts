/**
 * Go's text of a file mode, as restic's listings have it: a letter for each bit at the top of the
 * word (`d`, `L`, `Dc`, `p`, `S`, and `u`, `g`, `t` for setuid, setgid, sticky), then rwx.
 */
const TOP_BIT_LETTERS = "dalTLDpSugct?";
const PERMISSION_LETTERS = "rwxrwxrwx";

export function goModeText(mode: number): string {
  let top = "";
  for (const [place, letter] of [...TOP_BIT_LETTERS].entries()) {
    if (isBitSet(mode, 31 - place)) top += letter;
  }
  let permissions = "";
  for (const [place, letter] of [...PERMISSION_LETTERS].entries()) {
    permissions += isBitSet(mode, 8 - place) ? letter : "-";
  }
  return (top === "" ? "-" : top) + permissions;
}

function isBitSet(mode: number, bit: number): boolean {
  return ((mode >>> bit) & 1) === 1;
}
