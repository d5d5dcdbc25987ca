# SPDX-License-Identifier: Apache-2.0
# perl: processes, signals, locks, threads.
cat > /tmp/a.pl <<'X'
use strict; use warnings; use Fcntl qw(:DEFAULT :flock :seek); use POSIX; use Time::HiRes qw(usleep alarm);
$|=1; chdir "/tmp";
pipe(my $r, my $w); my $p=fork; if(!$p){close $r; print $w "from child\n"; exit 3} close $w; print <$r>; waitpid $p,0; print $?>>8,"\n";
$SIG{ALRM}=sub{print "alarm\n"}; alarm 0.2; select undef,undef,undef,5; print "err: $!\n";
eval { local $SIG{ALRM}=sub{die "timeout\n"}; alarm 0.1; 1 while 1 }; print $@;
sysopen(my $f,"x",O_RDWR|O_CREAT|O_EXCL,0600) or die; flock($f,LOCK_EX) or die; print "locked\n";
$p=fork; if(!$p){ open my $g,"<","x"; print flock($g,LOCK_EX|LOCK_NB)?"got":"no: $!","\n"; exit 0 } waitpid $p,0;
syswrite $f,"hello"; sysseek $f,0,SEEK_SET; sysread $f,my $b,10; print "$b\n"; truncate $f,2; print -s $f,"\n";
printf "%s %05d %x %e %.3g\n","a",42,255,1e10,0.1;
open my $ph,"-|","echo","pipe","open" or die; print <$ph>; close $ph; print `sh -c 'echo back; exit 2'`,$?>>8,"\n";
local $SIG{CHLD}=sub{ 1 while waitpid(-1,WNOHANG)>0; print "chld\n"}; $p=fork; exit 0 unless $p; sleep 5;
$SIG{CHLD}='IGNORE'; $p=fork; exit 0 unless $p; usleep 50000; print waitpid($p,0),"\n"; $SIG{CHLD}='DEFAULT';
my $s=POSIX::SigSet->new(SIGUSR2); sigprocmask(SIG_BLOCK,$s); local $SIG{USR2}=sub{print "usr2\n"}; kill USR2=>$$; print "blocked\n"; sigprocmask(SIG_UNBLOCK,$s);
symlink "x","l"; print readlink("l"),"\n"; rename "l","m"; print -l "m"?1:0,"\n"; utime 1,2,"x"; print +(stat "x")[9],"\n"; unlink "x","m";
print kill(0,99999)," $!\n"; setpgrp; print getpgrp==$$,"\n"; exec "/nothere" or print "exec: $!\n";
{ local $SIG{PIPE}='IGNORE'; pipe $r,$w; close $r; print syswrite($w,"x")//"epipe $!","\n"; }
for (1..100){ $p=fork; exit 0 unless $p; waitpid $p,0 } print "forked\n"; my %h; $h{$_}=1 for 1..100000; print scalar(keys %h),"\n";
X
perl /tmp/a.pl 2>&1
perl -Mthreads -Mthreads::shared -e 'my $n:shared=0; my @t=map{threads->create(sub{for(1..500){lock $n;$n++}})}1..8; $_->join for @t; print "$n\n"; my $q:shared; my $t=threads->create(sub{lock $q; cond_wait $q until $q; print "woke\n"}); {lock $q; $q=1; cond_signal $q} $t->join'
perl -e 'fork for 1..5; wait for 1..5; print "x"' | wc -c
perl -MTime::HiRes=setitimer,ITIMER_VIRTUAL -e '$SIG{VTALRM}=sub{print "vt\n"; exit}; setitimer(ITIMER_VIRTUAL,0.1); 1 while 1'
(perl -e 'kill 9,$$'; exit $?) 2>/dev/null; echo $?
