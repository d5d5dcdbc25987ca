# SPDX-License-Identifier: Apache-2.0
#
# Partition tables made, read again, changed: what the kernel then has.
b=${DISK#/dev/}
look() {
	wait_for "$@"
	grep -oE "[0-9]+ $b[p0-9]*\$" /proc/partitions
	ls /dev | grep -E "^$b(p?[0-9]+)?\$"
	for d in /sys/block/$b/$b*/; do
		[ -d "$d" ] && echo "${d%/}: $(cat "$d/partition" "$d/start" "$d/size" "$d/ro" | tr '\n' ' ')"
	done
	lsblk -rbno NAME,SIZE,RO,PTTYPE,PARTTYPE,PARTLABEL,PARTUUID,PARTFLAGS "$DISK"
	fdisk -l "$DISK" | tail -n +2
	sfdisk -d "$DISK"
}
quiet sfdisk "$DISK" <<'P'
label: dos
label-id: 0x12345678
2048,20480,83,*
,20480,82
,40960,5
,20480,83
,4096,b
P
look -b "$(part 5)"
quiet sfdisk --delete "$DISK" 2; look ! -e "$(part 2)"
printf 'n\np\n\n\n+4M\nt\n2\n7\nw\n' >/tmp/keys
quiet sh -c "fdisk '$DISK' </tmp/keys"; look -b "$(part 2)"
quiet sfdisk --part-type "$DISK" 1 c; sfdisk --part-type "$DISK" 1
quiet wipefs -a "$DISK"; quiet blockdev --rereadpt "$DISK"; look ! -e "$(part 1)"
quiet sfdisk "$DISK" <<'P'
label: gpt
label-id: 11111111-2222-3333-4444-555555555555
start=2048, size=20480, type=L, uuid=21111111-2222-3333-4444-555555555555, name="first one"
size=4096, type=U, uuid=31111111-2222-3333-4444-555555555555, name="EFI"
start=65536, size=8192, type=S, uuid=41111111-2222-3333-4444-555555555555, attrs="LegacyBIOSBootable"
P
look -b "$(part 3)"
blkid "$DISK" "$(part 1)"; blkid -p "$(part 1)" "$(part 3)" | sed 's/ PART_ENTRY_DISK=.*//'
quiet sfdisk -N 3 "$DISK" <<<',+'; look -b "$(part 3)"
quiet mkfs.ext4 -q -F -L inside "$(part 1)"
show mount LABEL=inside /mnt; show findmnt -no SOURCE /mnt; echo data >/mnt/file
show sfdisk --no-reread --no-tell-kernel -d "$DISK" >/dev/null
show blockdev --rereadpt "$DISK"
show umount /mnt; show blockdev --rereadpt "$DISK"; wait_for -b "$(part 1)"
show mount PARTUUID=21111111-2222-3333-4444-555555555555 /mnt; show cat /mnt/file; show umount /mnt
show mount PARTLABEL='first one' /mnt; show umount /mnt
quiet e2fsck -fn "$(part 1)"
quiet partx -d --nr 2-3 "$DISK"; wait_for ! -e "$(part 3)"; ls /dev | grep -E "^$b(p?[0-9]+)?\$"
quiet partx -a "$DISK"; quiet partx -u "$DISK"; partx -sgo NR,START,END,SECTORS,NAME,UUID,TYPE "$DISK"
quiet resizepart "$DISK" 1 10240; show blockdev --getsize64 "$(part 1)"
quiet partx -u "$DISK"; show blockdev --getsize64 "$(part 1)"
# The primary table is damaged: the backup is used.
dd if=/dev/zero of="$DISK" bs=512 seek=1 count=1 conv=notrunc status=none
quiet blockdev --rereadpt "$DISK"; wait_for -b "$(part 3)"; cat /sys/block/$b/$b*/size
dd if=/dev/zero of="$DISK" bs=512 count=34 conv=notrunc status=none
quiet blockdev --rereadpt "$DISK"; wait_for ! -e "$(part 1)"; ls /dev | grep -E "^$b(p?[0-9]+)?\$"
