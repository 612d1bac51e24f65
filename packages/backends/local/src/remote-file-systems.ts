import type { FileSystem } from "./file-system.ts";

/** File systems that live elsewhere or in another process (linux/magic.h). */
const REMOTE_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x517b, // SMB
  0x65735546, // FUSE: sshfs, rclone, s3fs
  0x01021997, // 9p
  0x786f4256, // VirtualBox shared folders
  0x00c36400, // Ceph
  0x5346414f, // AFS
  0x6b414653, // kAFS
  0x0bd00bd0, // Lustre
  0x73757245, // Coda
]);

/** Whether `folder` is on no disk of this machine, or cannot be told to be. */
export async function isOnRemoteFileSystem(
  fileSystem: FileSystem,
  folder: string,
): Promise<boolean> {
  try {
    return REMOTE_FILE_SYSTEMS.has((await fileSystem.statfs(folder)).type);
  } catch {
    return true;
  }
}
