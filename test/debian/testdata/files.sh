# SPDX-License-Identifier: Apache-2.0
# coreutils, findutils, tar and compressors on files.
export LC_ALL=C TZ=UTC
r() { "$@" 2>&1; echo "[$?] $*"; }
mkdir /tmp/w; cd /tmp/w; seq 100 > f
r chmod u+s,g-w f; r stat -c '%A %a %s %h %U %G' f; r chown 1:2 f; r stat -c '%u %g' f
r cp -av f g; r cp -l f h; r cp -s f s; r cp --sparse=always f j; r stat -c '%h %N' f s
r cp -p --preserve=all f k; r csplit f 10 20; r dd if=f of=part bs=7 count=3 skip=2 seek=1 conv=notrunc status=none; r cksum part
r install -D -m 640 -o 3 f ii/x/y; r stat -c '%a %u' ii ii/x/y; r ln -srv ii/x/y rel; r readlink -f rel; r readlink -e nothere
r mkfifo ff; r mknod nn c 1 3; r stat -c '%F %t %T' ff nn /dev/null; r mv --backup=numbered h g; r mv j /dev/shm/; r ls /dev/shm; rm /dev/shm/j
r touch -d 2020-01-02T03:04:05.123456789 f; r stat -c %y f; r touch -h -d @5 s; r stat -c %Y s
r truncate -s 1G big; r stat -c '%s %b' big; r split -n 3 f S; r split -l 30 --filter='wc -l' f
r shred -u k; r sort -S 1k --parallel=2 -k1,1n f | cksum; seq 200000 | sort -S 1M | cksum
r timeout -s INT 0.1 sleep 5; r timeout -k 0.1 0.1 sh -c 'trap "" TERM; sleep 3' 2>/dev/null | tail -1
(sleep 0.3; echo more >> f) & r timeout 2 tail -s 0.1 -f -n1 f
r rm nothere; r mv s s; r cp f nodir/; r mkdir ff; r cat nothere /; r head -c 5 /dev/zero | od; r sh -c 'echo x > /dev/full'; r chroot / /bin/echo in
r ls -l --time-style=+ f g ff nn; find . -name 'x*' -size -2k | sort; find /usr/bin -links +1 | sort; find /etc -type f -printf '%p %s %m %u %g\n' | sort | cksum
ls /usr/bin | xargs -P 4 -n 20 echo | wc -w; yes | head -50000 | xargs echo | wc -w; echo 1 | xargs sh -c 'exit 255' 2>/dev/null; echo $?
grep -rc bash /etc/passwd; grep -rl root /etc 2>/dev/null | sort | cksum; sed -i.bak '3d;s/5/five/' f; cat f | cksum
mawk 'BEGIN{while(("ls /usr" | getline x)>0) print x; "echo y" | getline y; print y; system("echo sys")}'
mkdir -p d/e; echo 1 > d/a; ln d/a d/b; ln -s a d/l; mkfifo d/p; truncate -s 10M d/sparse; echo x | dd of=d/sparse bs=1 seek=5M conv=notrunc status=none; chmod 2751 d/e; touch -h -d @1000000000 d/* d
tar --sort=name -S -cf t.tar d; tar tvf t.tar; mkdir x; tar -xSpf t.tar -C x; (cd x; find d -printf '%p %y %s %m %n %u %T@ %l\n' | grep -v '^d d ' | sort); stat -c '%b' x/d/sparse | awk '{print ($1 < 100)}'
for z in z J; do tar --sort=name -c${z}f t$z d; tar tf t$z | cksum; done
cp /usr/bin/x86_64-linux-gnu-gcc-12 g2; gzip -k9 g2; gunzip -c g2.gz | cmp - g2 && echo same; xz -k0T2 g2; xz -dc g2.xz | cmp - g2 && echo same
seq 10 > a; seq 2 11 > b; r diff -u --label a --label b a b; r cmp a b; r diff -rq a /etc; file a /bin/true | cut -c1-40
cd /; rm -r /tmp/w; busybox sh -c 'busybox ls /tmp; busybox seq 3 | busybox tac | busybox xargs; busybox find /etc/apt | busybox sort | busybox md5sum; busybox vi --help 2>&1 | busybox head -1'
