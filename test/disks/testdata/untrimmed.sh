# SPDX-License-Identifier: Apache-2.0
#
# The same as trim.sh without fstrim: the host's file stays full.
quiet mkfs.ext4 -q -F -b 4096 "$DISK"
show mount "$DISK" /mnt
dd if=/dev/urandom of=/mnt/a bs=1M count=30 status=none; dd if=/dev/urandom of=/mnt/b bs=1M count=30 status=none
rm /mnt/a; sync
show umount /mnt
