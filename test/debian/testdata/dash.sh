# SPDX-License-Identifier: Apache-2.0
# Subshells, pipelines, here-documents, traps, limits, loops.
(echo sub; exit 3); echo rc $?
seq 1 100000 | sort -rn | head -1 | tr 0-9 a-j
cat <<X | wc -c
$(printf '%0.sx' $(seq 1 5000))
X
trap 'echo trapped USR1' USR1; kill -USR1 $$
trap 'echo exit trap' EXIT
i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i
sleep 0.2 & p=$!; wait $p; echo wait $?
sh -c 'kill -TERM $$'; echo $?
(trap '' TERM; sh -c 'kill -TERM $$; echo survived')
x=$(false); echo $?
false | true; echo $?
mkdir -p /tmp/a/b && cd /tmp/a/b && pwd -P && cd .. && pwd
ulimit -n 50; ulimit -n
(ulimit -f 1; dd if=/dev/zero of=/tmp/big bs=1k count=2000 2>&1; echo $?) 2>/dev/null | tail -1
(ulimit -v 400000; perl -e '$x="a"x1e9; print "no\n"' 2>&1)
(ulimit -t 1; while :; do :; done) 2>/dev/null; echo cpu $?
exec 5>/tmp/five; echo hi >&5; exec 5>&-; cat /tmp/five
umask 027; touch /tmp/um; ls -l /tmp/um | cut -c1-10
echo "a b" | while read x y; do echo "$y $x"; done
set -- 1 2 3; shift; echo $*
test -t 0; echo tty $?
command -v ls; type cd
getopts ab: o -a; echo $o
eval 'echo $((0x10+010))'
printf '%s\n' /bin/bas*
mkfifo /tmp/p; (echo through > /tmp/p) & cat /tmp/p
for i in 1 2 3 4 5 6 7 8 9 10; do (exit $i) & done; wait; echo all
mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone; ls .; echo $?
