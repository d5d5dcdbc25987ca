# SPDX-License-Identifier: Apache-2.0
#
# Swap areas, which belong to the whole machine: not asked of the host. What is said
# here has to be as below.
mkswap -q -U 11111111-2222-3333-4444-555555555555 -L swappy "$DISK" 2>&1
show swapon "$DISK"; swapon --show=NAME,TYPE,SIZE,USED,PRIO --noheadings | tr -s ' '
show swapon "$DISK"
show swapoff LABEL=swappy
show swapon -p 5 UUID=11111111-2222-3333-4444-555555555555; tail -n +2 /proc/swaps | tr -s ' \t' ' '
lsblk -rno FSTYPE,MOUNTPOINT "$DISK"; grep SwapTotal /proc/meminfo
show swapoff -a; tail -n +2 /proc/swaps
cd "$WORK"; dd if=/dev/zero of=file bs=1M count=8 status=none; chmod 600 file; mkswap -q file
show swapon file; tail -n +2 /proc/swaps | tr -s ' \t' ' '; show rm file; show sh -c 'echo x >file'; show swapoff file
truncate -s 8M holes; chmod 600 holes; mkswap -q holes; show swapon holes || true
