# Mounting by type: instances, and the same one twice on one place.
cd /tmp && mkdir a b
for t in tmpfs proc sysfs devtmpfs; do
	mount -t $t x a; echo "$t: $?"
	mount -t $t y b; echo "$t elsewhere: $?"
	[ "$(stat -c %d a)" = "$(stat -c %d b)" ] && echo "$t: one instance"
	mount -t $t z a 2>/dev/null; echo "$t on itself: $?"
	grep " /tmp/a $t" /proc/mounts | cut -d' ' -f1-3
	umount b; mkdir a/new 2>/dev/null; mount -t $t -o ro x b; touch b/new 2>/dev/null; echo "$t read-only: touch $?"
	grep -c " /tmp/[ab] $t ro," /proc/mounts
	while umount a 2>/dev/null; do :; done
	umount b
done
mount -t devtmpfs dev a; ls a | grep -x -e null -e kmsg -e console; stat -c '%t %T %a' a/null a/kmsg
[ "$(stat -c %d a)" = "$(stat -c %d /dev)" ] && echo "the one /dev"
: >a/lodger-test-file; ls /dev/lodger-test-file; rm /dev/lodger-test-file; ls a/lodger-test-file 2>&1
umount a
mount -t devtmpfs -o nonsense=1 dev a 2>/dev/null; echo "devtmpfs nonsense: $?"
mount -t proc p a; mount -t tmpfs t a; mount -t proc p a; echo "proc again over another: $?"; grep -c ' /tmp/a ' /proc/mounts
umount a; umount a; umount a
mount --bind b b; mount --bind b b; echo "bind twice: $?"; umount b; umount b
for t in sysfs tmpfs proc devtmpfs ext3 ext2 ext4 squashfs; do grep -w $t /proc/filesystems | cat -A; done
[ "$(cat /proc/sys/kernel/random/boot_id)" = "$(cat /proc/sys/kernel/random/boot_id)" ] && echo "boot_id stays"
words() { grep ' /tmp/a ' /proc/mounts | cut -d' ' -f4 | tr , '\n' | grep -x -e sync -e dirsync -e lazytime -e ro -e rw | tr '\n' ' '; echo "$1"; }
mount -t tmpfs -o sync,dirsync,lazytime t a; words mounted; stat -f -c %i a >/dev/null; grep ' /tmp/a ' /proc/self/mountinfo | sed 's/.* - //' | cut -d' ' -f3 | cut -d, -f1-4
mount -o remount,async a; words async
mount -o remount,sync,ro a; words 'sync, ro'
mount -o remount,rw,nolazytime a; words nolazytime
umount a
