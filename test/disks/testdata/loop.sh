# SPDX-License-Identifier: Apache-2.0
#
# losetup over files of the root's file system.
cd "$WORK"
truncate -s 16M a; noise 8192 >b
list() { losetup -nO NAME,SIZELIMIT,OFFSET,AUTOCLEAR,RO,BACK-FILE,LOG-SEC "$@" | tr -s ' ' | sed "s,/dev/loop[0-9]*,LOOP,"; }
dev=$(losetup -f --show a); list "$dev"; losetup -j a | sed 's,^/dev/loop[0-9]*: [^ ]* ,,'
show blockdev --getsize64 "$dev" | sed "s,$dev,LOOP,"
truncate -s 20M a; losetup -c "$dev"; blockdev --getsize64 "$dev"
losetup -d "$dev"
dev=$(losetup -f --show -b 4096 a); list "$dev"; dd if="$dev" of=/dev/null bs=512 count=1 iflag=direct status=none 2>&1 | sed "s,$dev,LOOP,"; losetup -d "$dev"
dev=$(losetup -f --show --direct-io=on a); losetup -nO DIO "$dev" | tr -d ' '; losetup -d "$dev"
show losetup -f --show missing | sed 's,/dev/loop[0-9]*,LOOP,'
show losetup -f --show "$WORK" | sed 's,/dev/loop[0-9]*,LOOP,'
dev=$(losetup -f --show b); cmp b "$dev" && echo same; echo changed | dd of="$dev" conv=notrunc status=none; head -c 8 b; echo; losetup -d "$dev"
dev=$(losetup -f --show "$DISK"); list "$dev"; mkfs.ext4 -q -F "$dev"; losetup -d "$dev"; e2fsck -fn "$DISK" >/dev/null && echo clean
