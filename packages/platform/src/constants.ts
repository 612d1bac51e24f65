import { constants } from "node:fs";

/** "Relative to the current folder", in place of a folder's descriptor. */
export const AT_FDCWD: number = -100;

/** Open flags. Node knows the ones whose value depends on the processor. */
export const O_RDONLY: number = constants.O_RDONLY;
export const O_WRONLY: number = constants.O_WRONLY;
export const O_RDWR: number = constants.O_RDWR;
export const O_CREAT: number = constants.O_CREAT;
export const O_EXCL: number = constants.O_EXCL;
export const O_TRUNC: number = constants.O_TRUNC;
export const O_APPEND: number = constants.O_APPEND;
export const O_NONBLOCK: number = constants.O_NONBLOCK;
export const O_NOATIME: number = constants.O_NOATIME;
export const O_NOFOLLOW: number = constants.O_NOFOLLOW;
export const O_DIRECTORY: number = constants.O_DIRECTORY;
/** The same on every processor we run on; Node does not export them. */
export const O_CLOEXEC: number = 0o2000000;
export const O_PATH: number = 0o10000000;

/** `st_mode`: the kind of a file, and the bits above the permissions. */
export const S_IFMT: number = 0o170000;
export const S_IFSOCK: number = 0o140000;
export const S_IFLNK: number = 0o120000;
export const S_IFREG: number = 0o100000;
export const S_IFBLK: number = 0o060000;
export const S_IFDIR: number = 0o040000;
export const S_IFCHR: number = 0o020000;
export const S_IFIFO: number = 0o010000;
export const S_ISUID: number = 0o4000;
export const S_ISGID: number = 0o2000;
export const S_ISVTX: number = 0o1000;

/** Longest path the kernel takes in one call, and longest name in a folder, without the NUL. */
export const PATH_MAX_BYTES: number = 4095;
export const NAME_MAX_BYTES: number = 255;

/** Flags of the *at calls. */
export const AT_SYMLINK_NOFOLLOW: number = 0x100;
export const AT_REMOVEDIR: number = 0x200;
export const AT_NO_AUTOMOUNT: number = 0x800;
export const AT_EMPTY_PATH: number = 0x1000;
