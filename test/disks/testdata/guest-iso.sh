# SPDX-License-Identifier: Apache-2.0
#
# iso9660 images, which many hosts cannot mount.
cd "$WORK"; mkdir src; fill src; find src -exec touch -h -d '2020-02-02 02:02:02 UTC' {} +
setfattr -n user.a -v value src/d/text100; setfattr -n user.dir -v "of a directory" src/d
want=$(tree src | sha256sum)
try() {
	echo "=== $*"
	quiet "$@"
	show mount -o loop,ro image /mnt
	findmnt -no FSTYPE /mnt
	# How many names a directory has is not told truly.
	tree /mnt | sed -E 's/^(.* d [0-7]+ [^ ]+) [0-9]+ /\1 /' >/tmp/got
	tree src | sed -E 's/^(.* d [0-7]+ [^ ]+) [0-9]+ /\1 /' | diff - /tmp/got | head -n 20
	show touch /mnt/d/text100
	show umount /mnt
	rm -f image
}
try xorriso -as mkisofs -quiet -R -o image src
try xorriso -as mkisofs -quiet -R -J -o image src
quiet xorriso -as mkisofs -quiet -J -o image src; show mount -o loop,ro image /mnt; find /mnt -type f | LC_ALL=C sort | head -n 12; (cd /mnt; sha256sum d/text* | head -n 3; cd "$WORK/src"; sha256sum d/text* | head -n 3); show umount /mnt
quiet xorriso -as mkisofs -quiet -o image src; show mount -o loop,ro,nojoliet,norock image /mnt; find /mnt -type f | LC_ALL=C sort | head -n 12; show umount /mnt
