# SPDX-License-Identifier: Apache-2.0
#
# A disk's bytes by dd, its limits by blockdev and lsblk; discard and zeroes.
lsblk -rbndo SIZE,RO,RM,ALIGNMENT,MIN-IO,PHY-SEC,LOG-SEC,DISC-ALN,DISC-ZERO,FSTYPE,PTTYPE,MOUNTPOINT "$DISK"
blockdev --getsize64 --getsz --getss --getpbsz --getiomin --getalignoff --getro --getbsz "$DISK"
noise 1000000 >/tmp/noise; truncate -s 1M /tmp/noise
show dd if=/tmp/noise of="$DISK" bs=64k oflag=direct conv=fsync status=none
show cmp -n 1048576 /tmp/noise "$DISK"
show dd if="$DISK" of=/tmp/back bs=4k count=256 iflag=direct status=none; show cmp /tmp/noise /tmp/back
show dd if="$DISK" of=/dev/null bs=700 count=1 iflag=direct status=none
show dd if=/tmp/noise of="$DISK" bs=513 count=1 oflag=direct status=none
show dd if=/tmp/noise of="$DISK" bs=512 seek=3 count=5 oflag=direct,dsync conv=notrunc status=none
show dd if=/tmp/noise of="$DISK" bs=700 seek=9 count=9 oflag=sync conv=notrunc status=none
head -c 1M "$DISK" | sha256sum
show dd if="$DISK" of=/dev/null bs=1M skip=95 status=none
show dd if=/tmp/noise of="$DISK" bs=1M seek=96 status=none
show dd if=/tmp/noise of="$DISK" bs=512 seek=196600 count=16 status=none
show dd if="$DISK" of="$WORK/file" bs=64k count=16 iflag=direct oflag=direct status=none
show dd if=/tmp/noise of="$WORK/file" bs=4096 seek=2 count=1 oflag=direct conv=notrunc status=none
show dd if="$WORK/file" of=/tmp/back iflag=direct bs=1M status=none; sha256sum </tmp/back
show dd if="$WORK/file" of=/dev/null iflag=direct bs=700 count=1 status=none
show blkdiscard -o 65536 -l 65536 "$DISK"; head -c 1M "$DISK" | sha256sum
show blkdiscard -z -o 262144 -l 65536 "$DISK"; head -c 1M "$DISK" | sha256sum
show blkdiscard -o 1000 -l 512 "$DISK"
show blkdiscard -o 512 -l 1000 "$DISK"
show blkdiscard -l 100M "$DISK"
show blkdiscard "$DISK"; head -c 100M "$DISK" | tr -d '\0' | wc -c
show blockdev --setro "$DISK"; show dd if=/tmp/noise of="$DISK" bs=512 count=1 status=none; show blkdiscard "$DISK"
show mkfs.ext4 -q -F "$DISK"
show blockdev --setrw "$DISK"; show blockdev --flushbufs "$DISK"
