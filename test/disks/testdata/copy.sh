# SPDX-License-Identifier: Apache-2.0
#
# tar and cp of a tree with everything. (rsync needs sockets.)
quiet mkfs.ext4 -q -F "$DISK"; show mount "$DISK" /mnt; mkdir /mnt/src; fill /mnt/src; cd /mnt
setfacl -R -m u:1234:rx src/d/e; setfacl -d -m g:55:rwx src/d; setfattr -n user.a -v b src/d/text0; setfattr -n trusted.c -v d src/many
touch -d '2031-05-05 05:05:05.5 UTC' src/d/text1; touch -d '1950-01-01 UTC' src/d/text100; touch -d '2200-01-01 UTC' src/d/e
full() { tree "$1"; (cd "$1"; find . ! -type l | LC_ALL=C sort | xargs -d '\n' getfacl -n ; find . | LC_ALL=C sort | xargs -d '\n' getfattr -h -d -m '^[^s]'); }
want=$(full src | sha256sum); echo "$want"
same() { [ "$(full "$1" | sha256sum)" = "$want" ] && echo same || { full src >/tmp/w; full "$1" | diff /tmp/w - | head; }; }
show tar --xattrs --xattrs-include='*' --acls -S -cf /tmp/t.tar src; mkdir untar; show tar --xattrs --xattrs-include='*' --acls -xpf /tmp/t.tar -C untar --warning=no-timestamp; want=$(full src | sha256sum); same untar/src
show cp -a src copied; same copied; show cp -a --sparse=always copied copied2; same copied2; diff -r --no-dereference src/many copied/many && echo equal
tree src >/tmp/w; rm -rf src copied; show mv untar/src /tmp/moved; tree /tmp/moved | cmp - /tmp/w && echo "moved well"; rm -rf /tmp/moved /tmp/t.tar
cd /; show umount /mnt; quiet e2fsck -fn "$DISK"
