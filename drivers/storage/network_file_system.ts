/**
 * Tells whether a file is on a network file system, where locks between processes cannot be relied upon.
 *
 * @module
 */

const NETWORK = new Set([
  "afs",
  "beegfs",
  "ceph",
  "cifs",
  "coda",
  "davfs",
  "drvfs",
  "gfs2",
  "glusterfs",
  "gpfs",
  "lustre",
  "ncpfs",
  "nfs",
  "nfs4",
  "ocfs2",
  "orangefs",
  "prl_fs",
  "smb3",
  "smbfs",
  "vboxsf",
  "vmhgfs",
  "9p",
  "fuse.beegfs",
  "fuse.ceph",
  "fuse.curlftpfs",
  "fuse.davfs",
  "fuse.gcsfuse",
  "fuse.glusterfs",
  "fuse.goofys",
  "fuse.juicefs",
  "fuse.mount-s3",
  "fuse.rclone",
  "fuse.s3fs",
  "fuse.sshfs",
  "fuse.vmhgfs-fuse",
]);

/**
 * Finds the network file system that a path is on.
 *
 * @param path Absolute, with symbolic links resolved as far as it exists.
 * @param mounts The text of `/proc/mounts`.
 * @returns Its type, such as `nfs4`; `undefined` when the path is on a local one.
 */
export function networkFileSystem(path: string, mounts: string): string | undefined {
  let best = "";
  let type: string | undefined;
  for (const line of mounts.split("\n")) {
    const [, escaped, fileSystem] = line.split(" ");
    if (escaped === undefined || fileSystem === undefined) continue;
    const point = escaped.replace(
      /\\([0-7]{3})/g,
      (_, digits) => String.fromCharCode(parseInt(digits, 8)),
    );
    const folder = point.endsWith("/") ? point : `${point}/`;
    // a later mount at the same place hides the earlier
    if (`${path}/`.startsWith(folder) && folder.length >= best.length) {
      best = folder;
      type = fileSystem;
    }
  }
  // a sandbox may show its own local root as 9p
  if (type === undefined || (type === "9p" && best === "/")) return undefined;
  return NETWORK.has(type) ? type : undefined;
}
