// SPDX-License-Identifier: Apache-2.0
//
// sqlite: a thousand transactions of one row each, with sqlite's defaults (a
// rollback journal that is deleted, synchronous=FULL).
//
//   sqlite DIR    the data base is DIR/db, made anew
//
// It prints "sqlite value": milliseconds for all of them.
// Build: gcc -O2 -static -o sqlite sqlite.c -lsqlite3 -lm -lpthread -ldl

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define COMMITS 1000

static sqlite3 *db;

static double now(void) // milliseconds
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void must(int got, int want)
{
	if (got == want)
		return;
	fprintf(stderr, "sqlite: %s\n", db ? sqlite3_errmsg(db) : sqlite3_errstr(got));
	exit(1);
}

int main(int argc, char **argv)
{
	sqlite3_stmt *insert, *count;
	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "usage: sqlite DIR\n");
		return 2;
	}
	unlink("db");
	unlink("db-journal");
	must(sqlite3_open("db", &db), SQLITE_OK);
	must(sqlite3_exec(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)", 0, 0, 0), SQLITE_OK);
	must(sqlite3_prepare_v2(db, "INSERT INTO t (text) VALUES ('one row of one transaction')", -1, &insert, 0), SQLITE_OK);
	double s = now();
	for (int i = 0; i < COMMITS; i++) {
		must(sqlite3_step(insert), SQLITE_DONE);
		must(sqlite3_reset(insert), SQLITE_OK);
	}
	double ms = now() - s;
	must(sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &count, 0), SQLITE_OK);
	must(sqlite3_step(count), SQLITE_ROW);
	if (sqlite3_column_int(count, 0) != COMMITS) {
		fprintf(stderr, "sqlite: rows are missing\n");
		return 1;
	}
	printf("sqlite %.3f\n", ms);
	return 0;
}
