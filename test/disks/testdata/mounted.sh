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
quiet e2fsck -fp "$DISK"
show mount "$DISK" /mnt
quiet tune2fs -O metadata_csum_seed "$DISK"
quiet tune2fs -U 5d1e9e6f-3f0e-4a55-9f7b-6a4c7f6a5d0e "$DISK"
mkdir /mnt/seeded; fill /mnt/seeded/in; sync
dumpe2fs -h "$DISK" 2>/dev/null | grep -o 'UUID.*\|metadata_csum_seed'; blkid -s UUID -o value "$DISK"
show umount /mnt
quiet e2fsck -fn "$DISK"
