# SPDX-License-Identifier: Apache-2.0
#
# sqlite3 with its kinds of journal. (fio needs System V shared memory.)
quiet mkfs.ext4 -q -F "$DISK"; show mount "$DISK" /mnt; cd /mnt
for mode in delete truncate persist wal; do
	sqlite3 db "pragma journal_mode=$mode; create table if not exists t(a integer primary key, b text);
		insert into t(b) select hex(zeroblob(100)) from generate_series(1, 3000);
		begin; delete from t where a % 3 = 0; rollback; delete from t where a % 7 = 0; vacuum; pragma integrity_check; select count(*), sum(a) from t;"
done
sqlite3 db 'pragma mmap_size=100000000; select sum(length(b)) from t; pragma integrity_check'
for n in $(seq 20); do sqlite3 db "insert into t(b) values($n)"; done; sqlite3 db 'select count(*) from t'
cd /; show umount /mnt; quiet e2fsck -fn "$DISK"
show mount "$DISK" /mnt; sqlite3 /mnt/db 'pragma integrity_check'; show umount /mnt
