# SPDX-License-Identifier: Apache-2.0
#
# Images of a tree, mounted through loop devices.
cd "$WORK"; mkdir src; fill src
setfattr -n user.a -v value src/d/text100; setfattr -n user.dir -v "of a directory" src/d
want=$(tree src | sha256sum)
try() {
	echo "=== $*"
	quiet "$@"
	show mount -o loop,ro image /mnt
	findmnt -no FSTYPE /mnt
	tree /mnt >/tmp/got
	tree src | diff - /tmp/got | head -n 6
	getfattr -R -d /mnt/d 2>/dev/null | grep =
	show touch /mnt/d/text100
	show umount /mnt
	rm -f image
}
for c in gzip lzo lz4 xz zstd; do try mksquashfs src image -noappend -quiet -no-progress -comp $c; done
try mksquashfs src image -noappend -quiet -no-progress -noI -noD -noF -noX -b 4096
try mksquashfs src image -noappend -quiet -no-progress -no-fragments -b 1M
try mkfs.erofs --quiet image src
try mkfs.erofs --quiet -zlz4 image src
try mkfs.erofs --quiet -zlz4hc,12 -C65536 -Ededupe,all-fragments image src
try mkfs.ext4 -q -d src image 32M
try mkfs.ext2 -q -b 1024 -d src image 32M
# Read and write, and a file system within one within the root's.
quiet mkfs.ext4 -q image 64M; show mount -o loop image /mnt; cp -a src /mnt; mkdir /mnt/in
quiet mkfs.ext4 -q /mnt/inner 24M; show mount -o loop /mnt/inner /mnt/in; cp -a src /mnt/in/; tree /mnt/in/src | sha256sum; show fstrim /mnt/in
show umount /mnt; show umount /mnt/in; quiet e2fsck -fn /mnt/inner; show umount /mnt; quiet e2fsck -fn image; rm image
[ "$want" = "$(tree src | sha256sum)" ] && echo "the source is as it was"
