# SPDX-License-Identifier: Apache-2.0
#
# resize2fs of what is not mounted, there and back. What was mounted after the last check,
# by the second, it wants to have checked.
for opts in '-b 4096' '-b 1024 -O ^metadata_csum,^flex_bg' '-t ext3' '-O ^resize_inode,meta_bg'; do
	echo "=== $opts"
	quiet mkfs.ext4 -q -F $opts "$DISK" 20M
	show mount "$DISK" /mnt; fill /mnt; before=$(tree /mnt | sha256sum); show umount /mnt
	for size in 90M 14M 40M; do
		quiet e2fsck -fy "$DISK"
		quiet resize2fs "$DISK" $size
		show mount "$DISK" /mnt
		[ "$(tree /mnt | sha256sum)" = "$before" ] && echo same
		df -B1 --output=size /mnt
		fill /mnt/again; rm -r /mnt/again
		show umount /mnt
		quiet e2fsck -fn "$DISK"
	done
	quiet e2fsck -fy "$DISK"
	quiet resize2fs -M "$DISK"
	quiet e2fsck -fy "$DISK"
	quiet resize2fs "$DISK"
	dumpe2fs -h "$DISK" 2>/dev/null | grep 'Block count'
done
