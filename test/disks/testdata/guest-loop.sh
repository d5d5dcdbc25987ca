# SPDX-License-Identifier: Apache-2.0
#
# Partitions on loop devices, which many hosts do not know.
cd "$WORK"
truncate -s 20M a
list() { losetup -nO NAME,SIZELIMIT,OFFSET,AUTOCLEAR,RO,BACK-FILE,LOG-SEC "$@" | tr -s ' ' | sed "s,/dev/loop[0-9]*,LOOP,"; }
dev=$(losetup -f --show a)
printf 'label: gpt\n2048,8192\n,8192\n' | sfdisk -q "$dev"; ls "$dev"p* 2>/dev/null | wc -l
losetup -d "$dev"
dev=$(losetup -P -f --show a); wait_for -b "${dev}p2"; lsblk -rbno SIZE,TYPE,RO,LOG-SEC "$dev"
mkfs.ext4 -q -F "${dev}p1"; mount "${dev}p1" /mnt; fill /mnt; want=$([ "$want" = "$(tree /mnt | sha256sum)" ] && echo same)
losetup -d "$dev"; list "$dev"; umount /mnt; wait_for ! -e "${dev}p1"; ls "${dev}p1" 2>&1 | sed "s,$dev,LOOP,"
dev=$(losetup -f --show -r -o 1M --sizelimit 4M a); list "$dev"; e2fsck -fn "$dev" >/dev/null 2>&1 && echo clean
mount "$dev" /mnt; [ "$want" = "$(tree /mnt | sha256sum)" ] && echo same; findmnt -no OPTIONS /mnt; dd if=/dev/zero of="$dev" count=1 status=none 2>&1 | sed "s,$dev,LOOP,"; umount /mnt; losetup -d "$dev"
