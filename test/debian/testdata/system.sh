# SPDX-License-Identifier: Apache-2.0
# procps, dpkg, accounts, who may do what.
export LC_ALL=C TZ=UTC
sleep 100 & S=$!; while [[ $(ps -o comm= -p $S) != sleep ]]; do sleep 0.05; done # until it has been executed
ps -o args= -p $S; ps -o comm=,user= -p $S; pgrep -x sleep | wc -l; pwdx $S | cut -d: -f2; kill -STOP $S; while [[ $(ps -o stat= -p $S) != T* ]]; do sleep 0.05; done; kill -CONT $S
top -b -n2 -d 0.2 | grep -c COMMAND; free | awk 'NR==2{print ($2>0),($4>0)}'; uptime | grep -c load; vmstat | wc -l; ps -T -p $$ | wc -l
pkill -x sleep; wait $S 2>/dev/null; echo $?
dpkg-query -W -f '${Package} ${Status}\n' bash; dpkg -L bash | wc -l; dpkg -S /bin/bash; dpkg --verify bash; dpkg --audit; apt-get --version | head -1; dpkg -l | wc -l
mkdir -p /tmp/p/DEBIAN /tmp/p/usr; printf 'Package: pk\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: d\n' > /tmp/p/DEBIAN/control; dpkg-deb -b /tmp/p /tmp/pk.deb; dpkg-deb -c /tmp/pk.deb | wc -l
setpriv --reuid nobody --regid nogroup --clear-groups sh -c 'id; echo > /root/x; kill -0 1; nice -n -5 true; mount -t tmpfs x /mnt 2>&1 | head -1; chown 0 /tmp; chroot / true; ls /root' 2>&1
uname -sm; awk '{print $1}' /proc/meminfo | head -3; awk '{print $1}' /proc/stat | head -1; wc -w < /proc/loadavg; readlink /proc/self/exe; ls -d /proc/self/task/*/fd | wc -l; cat /proc/self/comm; grep -c . /proc/self/maps | awk '{print ($1>5)}'
mkdir /tmp/m; mount -t tmpfs -o size=1m none /tmp/m && echo mounted; head -c 2000000 /dev/zero > /tmp/m/f; stat -f -c %T /tmp/m; umount /tmp/m && ls /tmp/m
