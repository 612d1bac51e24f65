import type { PatternList } from "@comeback/core";
import type { SelectEntry } from "@comeback/engine";

/** restic's meaning of --exclude: what matches stays away, with all that is below it. */
export function selectAllBut(lists: readonly PatternList[]): SelectEntry {
  return (path, isDirectory) => {
    const selected = !lists.some((list) => list.matches(path));
    return { selected, childMayBeSelected: selected && isDirectory };
  };
}

/** restic's meaning of --include: only what matches, and the folders that lead to it. */
export function selectOnly(lists: readonly PatternList[]): SelectEntry {
  return (path, isDirectory) => {
    let selected = false;
    let childMayBeSelected = false;
    for (const list of lists) {
      const { matched, below } = list.matchesOrBelow(path);
      selected ||= matched;
      childMayBeSelected ||= below;
    }
    return { selected, childMayBeSelected: childMayBeSelected && isDirectory };
  };
}
