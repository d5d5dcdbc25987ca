# SPDX-License-Identifier: Apache-2.0
# gcc and make: several files, libraries, threads, sanitizers, a crash.
export LC_ALL=C
mkdir -p /tmp/w/src /tmp/w/inc; cd /tmp/w
echo 'int add(int,int); int mul(int,int); const char *name(void);' > inc/l.h
printf '#include "l.h"\nint add(int a,int b){return a+b;}\n' > src/add.c
printf '#include "l.h"\nint mul(int a,int b){return a*b;}\n' > src/mul.c
printf '#include "l.h"\nstatic __thread int t; const char *name(void){return t++ ? "again" : "shared";}\n' > src/name.c
cat > src/main.c <<'X'
#include "l.h"
#include <stdio.h>
#include <math.h>
#include <dlfcn.h>
int main(int c, char **v) { printf("%d %d %s %.3f\n", add(1,2), mul(3,4), name(), sqrt(c)); void *h = dlopen("./libp.so", RTLD_NOW); if (h) printf("%s\n", ((const char *(*)(void))dlsym(h, "name"))()); return 7; }
X
cat > Makefile <<'M'
CFLAGS = -O2 -Wall -Iinc -g
all: prog
%.o: src/%.c inc/l.h
	$(CC) $(CFLAGS) -fPIC -c -o $@ $<
libs.a: add.o mul.o
	$(AR) rcs $@ $^
libn.so libp.so: name.o
	$(CC) -shared -o $@ $^
prog: main.o libs.a libn.so libp.so
	$(CC) -o $@ main.o libs.a -L. -ln -Wl,-rpath,'$$ORIGIN' -lm
clean: ; rm -f *.o *.a *.so prog
M
make -j2 2>&1 | sort; ./prog; echo $?; make; touch inc/l.h; make -j2 | wc -l; make clean; make -k nothere 2>&1; echo $?
make -j2 >/dev/null; strip prog; ./prog; ldd prog | sed 's/(.*//'; nm libs.a | grep -c ' T '; readelf -h prog | grep Type
gcc -O2 -flto -o lto src/*.c -Iinc -lm && ./lto
gcc -static -o st src/add.c src/mul.c src/name.c -Iinc -xc - <<< 'extern int add(int,int); int main(void){return add(40,2);}'; ./st; echo $?
gcc -xc -fsanitize=address - -o uaf <<< '#include <stdlib.h>
int main(){char*p=malloc(4);free(p);return p[1];}'; ./uaf 2>&1 | grep -o heap-use-after-free | head -1
gcc -xc -g -fsanitize=thread - -o race <<< '#include <pthread.h>
int g; void *f(void*a){g++; return 0;} int main(){pthread_t t; pthread_create(&t,0,f,0); g++; pthread_join(t,0);}'; ./race 2>&1 | grep -o 'data race' | head -1
gcc -xc -O0 - -o crash <<< 'int main(){int*p=0;*p=1;}'; sh -c './crash; exit $?' 2>/dev/null; echo $?
gcc -xc - <<< 'int main( {' 2>&1 | tail -1
