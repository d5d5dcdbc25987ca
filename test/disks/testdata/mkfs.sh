# SPDX-License-Identifier: Apache-2.0
#
# mkfs with many feature sets; what a mount does to each is sound.
header() { dumpe2fs -h "$1" 2>/dev/null | grep -vE 'time:|created:|checked:|Lifetime|Mount count|Checksum:|Journal (sequence|checksum)|writes|^Last mounted'; }
try() {
	echo "=== $*"
	quiet blkdiscard "$DISK"
	quiet "$@" -F -U 11111111-2222-3333-4444-555555555555 -E hash_seed=66666666-7777-8888-9999-aaaaaaaaaaaa,nodiscard "$DISK"
	show e2fsck -fn "$DISK"
	show header "$DISK"
	show mount "$DISK" /mnt || return
	show findmnt -no FSTYPE,OPTIONS /mnt
	df -B1 --output=size,itotal,iused /mnt | tr -s ' '
	mkdir /mnt/tree; fill /mnt/tree
	rm -r /mnt/tree/many; mkdir /mnt/tree/many2; for n in $(seq 40); do head -c $((n * 500)) /mnt/tree/d/noise >/mnt/tree/many2/$n; done; stamp /mnt/tree
	df -B1 --output=iused /mnt
	tree /mnt | sha256sum
	show umount /mnt
	quiet e2fsck -fn "$DISK"
	lsblk -rbno NAME,FSTYPE,FSVER,LABEL,UUID,FSSIZE "$DISK"
	blkid -p -o export -s TYPE -s UUID -s VERSION "$DISK"
	show mount -o ro "$DISK" /mnt
	tree /mnt | sha256sum
	show umount /mnt
}
try mkfs.ext4
try mkfs.ext4 -b 1024
try mkfs.ext4 -b 2048 -O orphan_file,metadata_csum_seed -L "a label"
try mkfs.ext4 -O '^metadata_csum,^64bit,uninit_bg'
try mkfs.ext4 -O 'inline_data,ea_inode' -I 512
try mkfs.ext4 -O 'meta_bg,^resize_inode,^flex_bg' -g 8192
try mkfs.ext4 -O '^has_journal,sparse_super2,large_dir' -I 128
try mkfs.ext4 -O '^extent,^64bit,^dir_index' -b 1024
try mkfs.ext3
try mkfs.ext3 -b 1024 -I 128
try mkfs.ext2
try mkfs.ext2 -O '^sparse_super,^resize_inode,^filetype' -b 1024
