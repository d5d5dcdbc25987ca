# SPDX-License-Identifier: Apache-2.0
#
# Mount options as findmnt shows them, remounts, and what they do.
quiet mkfs.ext4 -q -F "$DISK"
try() {
	show mount "$@" "$DISK" /mnt && findmnt -no FSTYPE,OPTIONS,PROPAGATION /mnt
	show umount /mnt
}
for o in ro noatime nodiratime strictatime lazytime nosuid,nodev,noexec sync dirsync discard nodiscard errors=remount-ro errors=panic errors=continue \
	commit=7 data=journal data=ordered data=writeback barrier=0 nobarrier noload,ro norecovery,ro acl,user_xattr \
	delalloc nodelalloc journal_checksum journal_async_commit grpid nogrpid bsdgroups minixdf noquota init_itable=7 noinit_itable \
	max_batch_time=3 stripe=16 resuid=5,resgid=6 auto_da_alloc noauto_da_alloc dioread_nolock dioread_lock max_dir_size_kb=70 nombcache \
	i_version debug sb=1 inode_readahead_blks=16 block_validity noblock_validity abort nonsense commit=x data=none errors=; do
	echo "== $o"
	try -o "$o"
done 2>&1 | sed 's/(.*dmesg.*//'
echo "== remount"
show mount "$DISK" /mnt; echo text >/mnt/file; cp /bin/true /mnt/true
for o in ro rw noexec exec,nosuid commit=9 noatime relatime data=journal errors=panic sync,dirsync async discard barrier=0 ro,noload nonsense; do
	show mount -o remount,$o /mnt; findmnt -no OPTIONS /mnt
done 2>&1 | sed 's/(.*dmesg.*//'
show mount -o remount,bind,ro /mnt; show sh -c 'echo x >/mnt/file'; findmnt -no OPTIONS,FS-OPTIONS,VFS-OPTIONS /mnt
show mount -o remount,bind,rw,noexec /mnt; show /mnt/true; show sh -c 'echo y >/mnt/file'
exec 9>/mnt/open; show mount -o remount,ro /mnt; exec 9>&-; show mount -o remount,ro /mnt; show mount -o remount,rw /mnt
mkdir /tmp/other; show mount --bind /mnt /tmp/other; show umount /mnt; show cat /tmp/other/file; show mountpoint /tmp/other
(cd /tmp/other; show umount /tmp/other); cd /; show umount /tmp/other; show mountpoint -q /tmp/other
show mount "$DISK" /mnt; exec 9</mnt/file; show umount -l /mnt; cat <&9; show mountpoint -q /mnt; show e2fsck -n "$DISK" | sed 's/:.*//'; exec 9<&-
for n in $(seq 100); do mount "$DISK" /mnt 2>/dev/null && break; sleep 0.05; done
show mount "$DISK" /tmp/other; findmnt -rno TARGET "$DISK"; show umount -A "$DISK"
show mount -t ext2 "$DISK" /mnt; show mount -t nonsense "$DISK" /mnt
show mount "$DISK" /nowhere; show mount /dev/nowhere /mnt; show mount /dev/null /mnt; show umount /mnt
quiet e2fsck -fn "$DISK"
