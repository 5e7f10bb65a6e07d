import { assertEquals } from "@std/assert";
import { networkFileSystem } from "../../../drivers/storage/network_file_system.ts";

const MOUNTS = `
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/me/local xfs rw 0 0
//server/share /mnt/my\\040share cifs rw 0 0
ann@server: /mnt/remote fuse.sshfs rw 0 0
C:\\134 /mnt/c 9p rw 0 0
server:/a /twice nfs rw 0 0
/dev/sdc1 /twice ext4 rw 0 0
`;

Deno.test("networkFileSystem() finds the mount that a path is on", () => {
  const find = (path: string) => networkFileSystem(path, MOUNTS);
  assertEquals(find("/srv/shop"), undefined);
  assertEquals(find("/tmp"), undefined);
  assertEquals(find("/home"), "nfs4");
  assertEquals(find("/home/me/shop"), "nfs4");
  assertEquals(find("/home/me/local/shop"), undefined);
  assertEquals(find("/homes/ann"), undefined);
  assertEquals(find("/mnt/my share/shop"), "cifs");
  assertEquals(find("/mnt/remote"), "fuse.sshfs");
  assertEquals(find("/mnt/c/Users"), "9p");
  assertEquals(find("/twice"), undefined);
});

Deno.test("networkFileSystem() takes a sandbox's own root for local, and knows nothing of nothing", () => {
  assertEquals(networkFileSystem("/srv", "none / 9p rw 0 0\n"), undefined);
  assertEquals(networkFileSystem("/srv", "server:/ / nfs rw 0 0\n"), "nfs");
  assertEquals(networkFileSystem("/srv", ""), undefined);
});
