/**
 * Trees hold modes as Go's `os.FileMode` does: nine permission bits as everywhere, but the type
 * and the special bits at the top of the word.
 */
const GO_DIR = 2 ** 31;
const GO_SYMLINK = 1 << 27;
const GO_DEVICE = 1 << 26;
const GO_FIFO = 1 << 25;
const GO_SOCKET = 1 << 24;
const GO_SETUID = 1 << 23;
const GO_SETGID = 1 << 22;
const GO_CHARDEV = 1 << 21;
const GO_STICKY = 1 << 20;

const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_IFBLK = 0o060000;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;
const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_ISVTX = 0o1000;

const GO_TYPE_OF: ReadonlyMap<number, number> = new Map([
  [S_IFSOCK, GO_SOCKET],
  [S_IFLNK, GO_SYMLINK],
  [S_IFREG, 0],
  [S_IFBLK, GO_DEVICE],
  [S_IFDIR, GO_DIR],
  [S_IFCHR, GO_DEVICE + GO_CHARDEV],
  [S_IFIFO, GO_FIFO],
]);

/** The Go mode of a kernel's `st_mode`. */
export function goModeFromStat(mode: number): number {
  let result = (mode & 0o777) + (GO_TYPE_OF.get(mode & S_IFMT) ?? 0);
  if (mode & S_ISUID) result += GO_SETUID;
  if (mode & S_ISGID) result += GO_SETGID;
  if (mode & S_ISVTX) result += GO_STICKY;
  return result;
}

/** The permission bits of a Go mode as `chmod` takes them: rwx, setuid, setgid and sticky. */
export function permissionsFromGoMode(mode: number): number {
  let result = mode & 0o777;
  if (mode & GO_SETUID) result |= S_ISUID;
  if (mode & GO_SETGID) result |= S_ISGID;
  if (mode & GO_STICKY) result |= S_ISVTX;
  return result;
}

/** The kernel's `st_mode` of a Go mode, type included. */
export function statModeFromGo(mode: number): number {
  const permissions = permissionsFromGoMode(mode);
  if (mode >= GO_DIR) return permissions | S_IFDIR;
  if (mode & GO_SYMLINK) return permissions | S_IFLNK;
  if (mode & GO_CHARDEV) return permissions | S_IFCHR;
  if (mode & GO_DEVICE) return permissions | S_IFBLK;
  if (mode & GO_FIFO) return permissions | S_IFIFO;
  if (mode & GO_SOCKET) return permissions | S_IFSOCK;
  return permissions | S_IFREG;
}
