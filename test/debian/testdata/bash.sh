# SPDX-License-Identifier: Apache-2.0
# Process substitution, coprocesses, wait -n, job control, arrays.
diff <(seq 1 5) <(seq 2 6)
coproc CP { while read l; do echo "got $l"; done; }
echo hello >&${CP[1]}; read -r -u ${CP[0]} r; echo $r
eval "exec ${CP[1]}>&-"; wait $CP_PID; echo coproc $?
(sleep 0.5; exit 3) & (sleep 0.1; exit 4) & wait -n; echo $?; wait -n; echo $?
read -t 0.2 z < <(sleep 1); echo read $?
a=(1 2 3); for x in "${a[@]}"; do echo $x; done
declare -A m; m[x]=1; echo ${m[x]}
mapfile -t L < <(printf 'a\nb\nc\n'); echo ${#L[@]}
set -m; exec 9>&2 2>/dev/null # bash tells of jobs when it gets round to it
sleep 5 & jobs | sed 's/  */ /g'; kill %1; wait %1 2>/dev/null; echo $?
(kill -STOP $BASHPID; exit 7) & while [[ $(jobs) != *Stopped* ]]; do sleep 0.05; done; jobs | sed 's/  */ /g'; kill -CONT %%; wait $!; echo $?
exec 2>&9 9>&-; set +m
tee >(wc -c) < /etc/passwd >/dev/null; sleep 0.3
set -o pipefail; false | true; echo $?; set +o pipefail
trap 'echo INT' INT; kill -INT $$
trap 'echo CHLD' CHLD; /bin/true; trap - CHLD
[[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}
exec {fd}<>/tmp/rw; echo x >&$fd; cat /tmp/rw
shopt -s globstar; cd /usr/share/doc; ls -d **/copyright | wc -l
timeout 0.3 bash -c 'while :; do :; done'; echo $?
yes | head -100000 | md5sum
bash -c 'exec -a other bash -c "echo \$0"'
: | false | cat; echo ${PIPESTATUS[@]}
for i in {1..100}; do /bin/true & done; wait; echo all
cat /dev/fd/3 3<<<heredoc
read -n 3 -d '' q <<< "abcdef"; echo $q
x=$(head -c 131000 /dev/zero | tr '\0' a); /bin/echo $x | wc -c
export BIG=$x$x; /bin/true; echo $?
