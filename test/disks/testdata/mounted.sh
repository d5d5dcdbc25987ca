# SPDX-License-Identifier: Apache-2.0
#
# What programs see and change on the device of a mounted file system.
quiet mkfs.ext4 -q -F -m 5 "$DISK"
show mount "$DISK" /mnt
head() { dumpe2fs -h "$DISK" 2>/dev/null | grep -E 'volume name|Reserved block count|Maximum mount|Errors behavior|Default mount|Check interval'; }
head
show tune2fs -L by-ioctl "$DISK" >/dev/null; show e2label "$DISK"; blkid -s LABEL -o value "$DISK"
mkdir /mnt/dir; echo text >/mnt/dir/file; sync
debugfs -R 'ls -p /dir' "$DISK" 2>/dev/null | cut -d/ -f6; debugfs -R 'cat /dir/file' "$DISK" 2>/dev/null
before=$(stat -f -c '%f %a' /mnt)
quiet tune2fs -m 1 -c 30 -i 7d -e remount-ro -o acl,user_xattr "$DISK"
head
set -- $before $(stat -f -c '%f %a' /mnt); echo "reserved less: $(( $4 > $2 ))"
mkdir /mnt/another; fill /mnt/in; sync
head
quiet tune2fs -C 7 "$DISK"; dumpe2fs -h "$DISK" 2>/dev/null | grep 'Mount count'
show umount /mnt
head
quiet e2fsck -fn "$DISK"
show mount -o ro "$DISK" /mnt
quiet tune2fs -m 2 "$DISK"; head
show mount -o remount,rw /mnt
touch /mnt/more; sync; head
show umount /mnt
head
