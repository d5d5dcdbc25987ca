# SPDX-License-Identifier: Apache-2.0
#
# tune2fs, dumpe2fs, debugfs, e2label, e2image on a disk that a mount changes between.
quiet mkfs.ext4 -q -F -O '^metadata_csum' -U 11111111-2222-3333-4444-555555555555 "$DISK"
# What was mounted after the last check, by the second, tune2fs wants to have checked.
use() { show mount "$DISK" /mnt; date >/mnt/$1; show umount /mnt; quiet e2fsck -fn "$DISK"; quiet e2fsck -fy "$DISK"; }
features() { tune2fs -l "$DISK" | grep -E 'features|volume name|UUID|Reserved block count|Maximum mount|Errors|mount options|Inode size'; }
features
quiet tune2fs -L new-name "$DISK"; use a; show e2label "$DISK"; blkid -s LABEL "$DISK"
for o in metadata_csum ^has_journal has_journal ^dir_index dir_index ^64bit; do
	case $o in
	^64bit) quiet resize2fs -s "$DISK" ;;
	*) echo y | quiet tune2fs -O "$o" "$DISK" ;;
	esac
	quiet e2fsck -fy "$DISK"
	use "b$o"
	features
done
quiet tune2fs -U 22222222-2222-3333-4444-555555555555 "$DISK"; use c
quiet tune2fs -I 512 "$DISK"; use d
quiet tune2fs -m 1 -c 30 -e remount-ro -o acl,user_xattr -E mount_opts=nodelalloc "$DISK"; use e
features
show mount "$DISK" /mnt
show tune2fs -L mounted "$DISK"
show tune2fs -O ^has_journal "$DISK"
show e2fsck -n "$DISK" | sed 's/^[a-z-]*: clean/LABEL: clean/'
fill /mnt/in; sync
show umount /mnt
show e2label "$DISK"
show debugfs -R 'stat /in/d/e/soft' "$DISK" | grep -oE 'Type: .* Mode: *0777|Fast link.*'
debugfs -R 'ls /in/d' "$DISK" 2>/dev/null | grep -oE 'text[0-9]+' | sort
debugfs -R 'cat /in/many/a\ file\ with\ a\ name\ of\ some\ length\ 7' "$DISK" 2>/dev/null
debugfs -R 'dump "/in/many/a file with a name of some length 8" /tmp/dump' "$DISK" 2>/dev/null; cat /tmp/dump
debugfs -R 'dump /in/d/noise /tmp/dump' "$DISK" 2>/dev/null; sha256sum </tmp/dump
quiet debugfs -w -R 'write /disks/lib written' "$DISK"
quiet debugfs -w -R 'rm /in/d/text4096' "$DISK"
quiet debugfs -w -R 'ea_set /written user.by debugfs' "$DISK"
show mount "$DISK" /mnt; show cmp /mnt/written /disks/lib; show ls /mnt/in/d/text4096; show getfattr -d /mnt/written; show umount /mnt
quiet e2fsck -fn "$DISK"
quiet e2image -r "$DISK" /tmp/image.raw; quiet e2fsck -fn /tmp/image.raw; rm -f /tmp/image.raw
show dumpe2fs "$DISK" 2>/dev/null | grep -c '^Group'
