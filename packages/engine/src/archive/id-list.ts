/** `count` ids out of a text of many, 64 digits each, one behind the other. */
export function idList(ids: string, first = 0, count: number = ids.length / 64 - first): string[] {
  const list: string[] = [];
  for (let i = first; i < first + count; i++) list.push(ids.slice(i * 64, i * 64 + 64));
  return list;
}
