# SPDX-License-Identifier: Apache-2.0
#
# ACLs, extended attributes and inode flags: shown, kept and enforced, on a small and a
# large inode.
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
for opts in '-I 256' '-I 128 -b 1024' '-I 512 -O ea_inode'; do
echo "=== $opts"
quiet mkfs.ext4 -q -F -E hash_seed=66666666-7777-8888-9999-aaaaaaaaaaaa $opts "$DISK"; show mount "$DISK" /mnt; cd /mnt; chmod 755 .
echo secret >f; chmod 600 f; mkdir d
show as 1234 cat f
show setfacl -m u:1234:r f; show as 1234 cat f; show as 1235 cat f; show getfacl -n f; stat -c %a f
show setfacl -m g:77:rw,m::r f; getfacl -nc f; chmod g=rwx f; getfacl -nc f
show setfacl -x u:1234 f; show as 1234 cat f
show setfacl -d -m u:1234:rwx,g::r-x,o::- d; show setfacl -m u:1234:rwx d; as 1234 touch d/new; as 1234 mkdir d/sub; (umask 077; touch d/masked); getfacl -nR d
show setfacl -b -k d; getfacl -nc d; for n in $(seq 2000 2040); do setfacl -m u:$n:r f || break; done; getfacl -nc f | wc -l
show cp -a f g; getfacl -nc g | sha256sum; show setfacl -m u:x!:r f
for n in $(seq 12); do setfattr -n user.n$n -v "$(noise $((n * 20)))" f || echo "no room at $n"; done; getfattr -d f | sha256sum
show setfattr -n trusted.t -v x f; show as 1234 getfattr -n trusted.t f; show getfattr -n trusted.t f
show setfattr -n user.n3 -v new f; show setfattr -x user.n4 f; show getfattr -n user.n4 f; getfattr -d f | sha256sum
show setfattr -n nonsense.x -v y f; ln -s f l; show setfattr -h -n user.x -v y l; show setfattr -h -n trusted.x -v y l
show setfattr -n user.big -v "$(noise 3000)" g; show setfattr -n user.huge -v "$(noise 30000)" g; getfattr -d g | sha256sum
show setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 f; getfattr -n security.capability -e hex f; echo x >>f; getfattr -n security.capability -e hex f
echo flags; echo text >i; echo text >a; mkdir ad; touch ad/x
show chattr +i i; show chattr +a a ad; lsattr -d i a ad
show sh -c 'echo x >i'; show rm i; show mv i j; show chmod 777 i; show ln i k; show touch i; show setfattr -n user.x -v y i; show truncate -s 0 i
show sh -c 'echo more >>a'; show sh -c 'echo x >a'; show rm a; show truncate -s 0 a; show touch ad/y; show rm ad/x; show mv ad/x ad/z; cat a
show as 1234 chattr -i i; show setpriv --bounding-set -linux_immutable chattr -i i
show chattr -i i; show chattr -a a ad; show rm i a; show rm -r ad
touch x; for c in A c C d D e P s S t T u F m; do chattr +$c x 2>/dev/null; echo "$c $? $(lsattr x)"; done
chattr +AdS d; touch d/child; mkdir d/dir; lsattr -d d d/child d/dir; lsattr -v x | sed 's/^[0-9]* *//'; show chattr -v 42 x
cd /; show umount /mnt; quiet e2fsck -fn "$DISK"
show mount "$DISK" /mnt; getfacl -nc /mnt/f /mnt/g | sha256sum; getfattr -d /mnt/f /mnt/g | sha256sum; lsattr /mnt/x; show umount /mnt
done 2>&1 | sed 's/(.*dmesg.*//'
