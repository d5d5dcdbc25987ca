# SPDX-License-Identifier: Apache-2.0
#
# fallocate in all its ways, and what filefrag then has (but for where on the disk).
data() { sha256sum <"$1"; }
for opts in '-b 4096' '-b 1024'; do
echo "=== $opts"
quiet mkfs.ext4 -q -F $opts "$DISK"; show mount "$DISK" /mnt; cd /mnt
noise 400000 >f; sync
show fallocate -p -o 65536 -l 65536 f; data f
show fallocate -p -o 5000 -l 3000 f; data f
show fallocate -c -o 131072 -l 65536 f; data f; stat -c %s f
show fallocate -i -o 65536 -l 32768 f; data f; stat -c %s f
show fallocate -z -o 200000 -l 50000 f; data f
show fallocate -z -n -o 500000 -l 50000 f; stat -c %s f
show fallocate -o 300000 -l 400000 f; stat -c %s f; data f
show fallocate -n -o 700000 -l 400000 f; stat -c %s f
show fallocate -c -o 100 -l 4096 f; show fallocate -c -o 0 -l 64M f; show fallocate -i -o 64M -l 4096 f; show fallocate -l 10G g; rm g
show fallocate -d f; data f; sync
fallocate -l 1M u; sync; stat -c '%s %b' u; echo x | dd of=u bs=1 seek=524288 conv=notrunc status=none; sync
filefrag -v u | grep -c unwritten; filefrag -e u | grep -o 'unwritten\|last\|eof' | sort | uniq -c
truncate -s 1M s; for n in 1 3 5 7; do dd if=f of=s bs=65536 seek=$n count=1 conv=notrunc status=none; done; sync
filefrag -v s | awk '/^ *[0-9]+:/ { print $2 $3 }' ; filefrag -b512 -v s | awk '/^ *[0-9]+:/ { print $2 $3 }'
filefrag s u | sed 's/[0-9]* extents* found/N extents found/'; filefrag -x -v f | tail -n 1 | sed 's/[0-9]* extents* found/N extents found/'; filefrag . 2>&1 | sed 's/[0-9]* extents* found/N extents found/'
show fallocate -p -o 0 -l 1M s; stat -c '%s %b' s; cp --sparse=always f h; cmp f h && echo same; cp --reflink=always f r 2>&1 | sed 's/.*: //'
cd /; show umount /mnt; quiet e2fsck -fn "$DISK"
show mount "$DISK" /mnt; sha256sum /mnt/[fhs]; show umount /mnt
done
