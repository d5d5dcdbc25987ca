# SPDX-License-Identifier: Apache-2.0
#
# resize2fs of what is mounted, within the blocks reserved for descriptors and beyond. A
# host in a container may not.
small='-b 1024 -g 1024 -O ^flex_bg'
for opts in '-b 4096' "$small -E resize=30000" "$small,^resize_inode" '-b 1024 -t ext2'; do
	echo "=== $opts"
	quiet mkfs.ext4 -q -F $opts "$DISK" 10M
	show mount "$DISK" /mnt
	fill /mnt/in; before=$(tree /mnt/in | sha256sum)
	for size in 40M ''; do
		quiet resize2fs "$DISK" $size
		dumpe2fs -h "$DISK" 2>/dev/null | grep -E 'Block count|^First meta' | tr -s ' '
	done
	fill /mnt/again
	[ "$(tree /mnt/in | sha256sum)" = "$before" ] && echo same
	show umount /mnt
	quiet e2fsck -fn "$DISK"
	show mount "$DISK" /mnt
	[ "$(tree /mnt/again | sha256sum)" = "$(tree /mnt/in | sha256sum)" ] && echo same
	show umount /mnt
done
dmesg -t | grep -c "EXT4-fs (${DISK#/dev/}): resized filesystem"
dmesg -t | grep -o "): Converting.*"
