import { constants } from "node:os";
import koffi from "koffi";
import { type ByteString, ComebackError } from "@comeback/core";
import { PATH_MAX_BYTES } from "./constants.ts";
import { SystemCallError } from "./system-call-error.ts";

type Call = (...values: (number | bigint | Uint8Array)[]) => number;

/** Memory that both sides see: `bytes` here, `address` for the kernel. */
export type NativeMemory = { readonly bytes: Buffer; readonly address: number };

/** The calls of the C library, each taking and giving plain numbers. */
export type LibC = {
  readonly syscall: Call;
  readonly openat: Call;
  readonly close: Call;
  readonly read: Call;
  readonly pread: Call;
  readonly write: Call;
  readonly pwrite: Call;
  readonly lseek: Call;
  readonly ftruncate: Call;
  readonly fallocate: Call;
  readonly flock: Call;
  readonly fsync: Call;
  readonly syncfs: Call;
  readonly readlinkat: Call;
  readonly mkdirat: Call;
  readonly unlinkat: Call;
  readonly symlinkat: Call;
  readonly linkat: Call;
  readonly mknodat: Call;
  readonly renameat: Call;
  readonly fchown: Call;
  readonly fchownat: Call;
  readonly fchmod: Call;
  readonly chmod: Call;
  readonly futimens: Call;
  readonly utimensat: Call;
  readonly llistxattr: Call;
  readonly flistxattr: Call;
  readonly lgetxattr: Call;
  readonly fgetxattr: Call;
  readonly lsetxattr: Call;
  readonly fsetxattr: Call;
  readonly lremovexattr: Call;
  readonly fremovexattr: Call;
  readonly getpwuid_r: Call;
  readonly getgrgid_r: Call;
  /** Number of each call that the C library has no function for, or not in every version. */
  readonly numbers: SystemCallNumbers;
  errno(): number;
  addressOf(bytes: Uint8Array): number;
  /** Two buffers for paths, so that a call may take two of them. */
  readonly path: NativeMemory;
  readonly secondPath: NativeMemory;
};

/**
 * Paths and addresses are passed as numbers (`uintptr_t`): the cheapest conversion, and a path
 * written as latin1 into one reused buffer needs no other treatment for bytes that are not ASCII.
 */
const SIGNATURES = {
  syscall: "long syscall(long number, long a, long b, long c, long d, long e, long f)",
  openat: "int openat(int fd, uintptr_t path, int flags, uint mode)",
  close: "int close(int fd)",
  read: "long read(int fd, void *to, size_t length)",
  pread: "long pread64(int fd, void *to, size_t length, int64_t at)",
  write: "long write(int fd, const void *from, size_t length)",
  pwrite: "long pwrite64(int fd, const void *from, size_t length, int64_t at)",
  lseek: "int64_t lseek64(int fd, int64_t offset, int whence)",
  ftruncate: "int ftruncate64(int fd, int64_t size)",
  fallocate: "int fallocate64(int fd, int mode, int64_t offset, int64_t length)",
  flock: "int flock(int fd, int operation)",
  fsync: "int fsync(int fd)",
  syncfs: "int syncfs(int fd)",
  readlinkat: "long readlinkat(int fd, uintptr_t path, uintptr_t to, size_t size)",
  mkdirat: "int mkdirat(int fd, uintptr_t path, uint mode)",
  unlinkat: "int unlinkat(int fd, uintptr_t path, int flags)",
  symlinkat: "int symlinkat(uintptr_t target, int fd, uintptr_t path)",
  linkat: "int linkat(int fromFd, uintptr_t from, int toFd, uintptr_t to, int flags)",
  mknodat: "int mknodat(int fd, uintptr_t path, uint mode, uint64_t device)",
  renameat: "int renameat(int fromFd, uintptr_t from, int toFd, uintptr_t to)",
  fchown: "int fchown(int fd, uint uid, uint gid)",
  fchownat: "int fchownat(int fd, uintptr_t path, uint uid, uint gid, int flags)",
  fchmod: "int fchmod(int fd, uint mode)",
  chmod: "int chmod(uintptr_t path, uint mode)",
  futimens: "int futimens(int fd, uintptr_t times)",
  utimensat: "int utimensat(int fd, uintptr_t path, uintptr_t times, int flags)",
  llistxattr: "long llistxattr(uintptr_t path, uintptr_t to, size_t size)",
  flistxattr: "long flistxattr(int fd, uintptr_t to, size_t size)",
  lgetxattr: "long lgetxattr(uintptr_t path, uintptr_t name, uintptr_t to, size_t size)",
  fgetxattr: "long fgetxattr(int fd, uintptr_t name, uintptr_t to, size_t size)",
  lsetxattr: "int lsetxattr(uintptr_t path, uintptr_t name, uintptr_t value, size_t size, int how)",
  fsetxattr: "int fsetxattr(int fd, uintptr_t name, uintptr_t value, size_t size, int how)",
  lremovexattr: "int lremovexattr(uintptr_t path, uintptr_t name)",
  fremovexattr: "int fremovexattr(int fd, uintptr_t name)",
  getpwuid_r:
    "int getpwuid_r(uint id, uintptr_t entry, uintptr_t text, size_t size, uintptr_t found)",
  getgrgid_r:
    "int getgrgid_r(uint id, uintptr_t entry, uintptr_t text, size_t size, uintptr_t found)",
} as const;

type SystemCallNumbers = {
  readonly statx: number;
  readonly getdents64: number;
  readonly openat2: number;
  readonly fchmodat2: number;
  readonly setxattrat: number;
  readonly getxattrat: number;
  readonly listxattrat: number;
  readonly removexattrat: number;
};

/** Calls added since Linux 5.1 have the same number on every processor. */
const COMMON_NUMBERS = {
  openat2: 437,
  fchmodat2: 452,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
};

const NUMBERS: Readonly<Record<string, SystemCallNumbers>> = {
  x64: { ...COMMON_NUMBERS, statx: 332, getdents64: 217 },
  arm64: { ...COMMON_NUMBERS, statx: 291, getdents64: 61 },
};

let loaded: LibC | undefined;

/** The C library of this process, loaded at the first use. */
export function libc(): LibC {
  return (loaded ??= load());
}

function load(): LibC {
  const numbers = NUMBERS[process.arch];
  if (process.platform !== "linux" || numbers === undefined) {
    throw new ComebackError("platform.unsupported", "this machine is not supported", {
      why: `Comeback runs on Linux on x64 and arm64, this is ${process.platform} ${process.arch}`,
    });
  }
  const library = koffi.load(null);
  const calls: Record<string, Call> = {};
  for (const [name, signature] of Object.entries(SIGNATURES)) {
    const call = define(library, signature);
    calls[name] = NEVER_REPEATED.has(name) ? call : repeatedWhereDoubtful(call);
  }
  const addressOf = (bytes: Uint8Array): number => Number(koffi.address(bytes));
  const allocate = (sizeBytes: number): NativeMemory => {
    const bytes = Buffer.alloc(sizeBytes);
    return { bytes, address: addressOf(bytes) };
  };
  return {
    ...(calls as unknown as Omit<LibC, "numbers" | "errno" | "addressOf" | "path" | "secondPath">),
    numbers,
    errno: () => koffi.errno(),
    addressOf,
    path: allocate(PATH_MAX_BYTES + 1),
    secondPath: allocate(PATH_MAX_BYTES + 1),
  };
}

/** musl has the 64-bit calls under their plain names only, which on 64-bit machines are the same. */
function define(library: ReturnType<typeof koffi.load>, signature: string): Call {
  try {
    return library.func(signature) as Call;
  } catch (error) {
    const plain = signature.replace(/64\(/, "(");
    if (plain === signature) throw error;
    return library.func(plain) as Call;
  }
}

/** `close` may have closed before it failed; the other two give their error as the result. */
const NEVER_REPEATED: ReadonlySet<string> = new Set(["close", "getpwuid_r", "getgrgid_r"]);

/** What the futex calls of V8's own threads leave in `errno`. */
const DOUBTFUL: ReadonlySet<number> = new Set([
  constants.errno.EAGAIN,
  constants.errno.ETIMEDOUT,
  constants.errno.EINTR,
]);
const REPETITIONS_MAX = 3;

/**
 * Between a call and the reading of its `errno`, V8 may collect garbage on this thread, and the
 * calls it makes leave their own errors there: a missing file then looks like EAGAIN. A call that
 * failed so has had no effect and is simply made again; an error that is meant comes again.
 */
function repeatedWhereDoubtful(call: Call): Call {
  return (...values) => {
    let result = call(...values);
    for (let i = 0; result < 0 && i < REPETITIONS_MAX && DOUBTFUL.has(koffi.errno()); i++) {
      result = call(...values);
    }
    return result;
  };
}

/** Memory that stays where it is as long as the result is referenced. */
export function nativeMemory(sizeBytes: number): NativeMemory {
  const bytes = Buffer.alloc(sizeBytes);
  return { bytes, address: libc().addressOf(bytes) };
}

/** Writes a path for the next call and gives its address. */
export function pathAddress(c: LibC, path: ByteString, systemCall: string): number {
  return writePath(c.path, path, systemCall);
}

/** The same for the second path of a call. */
export function secondPathAddress(c: LibC, path: ByteString, systemCall: string): number {
  return writePath(c.secondPath, path, systemCall);
}

function writePath(memory: NativeMemory, path: ByteString, systemCall: string): number {
  if (path.length > PATH_MAX_BYTES) {
    throw new SystemCallError(constants.errno.ENAMETOOLONG, systemCall, path);
  }
  // A NUL would silently cut the path: the call would act on another file.
  if (path.includes("\0")) throw new SystemCallError(constants.errno.EINVAL, systemCall, path);
  memory.bytes[memory.bytes.write(path, 0, "latin1")] = 0;
  return memory.address;
}

/** The error of the call that just failed. */
export function lastError(c: LibC, systemCall: string, path?: ByteString): SystemCallError {
  return new SystemCallError(c.errno(), systemCall, path);
}

/** Passes a call's result on, or throws its error. */
export function checked(c: LibC, result: number, systemCall: string, path?: ByteString): number {
  if (result < 0) throw lastError(c, systemCall, path);
  return result;
}

/** Repeats a call that a signal interrupted. */
export function uninterrupted(c: LibC, call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0 || c.errno() !== constants.errno.EINTR) return result;
  }
}
