# SPDX-License-Identifier: Apache-2.0
#
# fstrim gives the host its room back (the test looks at the file).
quiet mkfs.ext4 -q -F -b 4096 "$DISK"
show mount "$DISK" /mnt
dd if=/dev/urandom of=/mnt/a bs=1M count=30 status=none; dd if=/dev/urandom of=/mnt/b bs=1M count=30 status=none
rm /mnt/a; sync; noise 100000 >/mnt/c
quiet fstrim /mnt; quiet fstrim -o 1M -l 10M -m 64k /mnt
fstrim -v /mnt | grep -cE '^/mnt: .* bytes\) trimmed$'
sha256sum </mnt/c
show umount /mnt
quiet e2fsck -fn "$DISK"
show mount -o ro "$DISK" /mnt; sha256sum </mnt/c; show fstrim /mnt; show umount /mnt
show fstrim /proc || true
