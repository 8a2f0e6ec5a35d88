// The first process of the emulated machine (avx512_emulated.sh): runs /program on the serial line, prints its exit
// status, stops.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int main(void) {
  mkdir("/proc", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  mkdir("/dev", 0755);
  mount("dev", "/dev", "devtmpfs", 0, NULL);
  mkdir("/tmp", 0755);
  const int line = open("/dev/ttyS0", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) dup2(line, fd);

  const pid_t child = fork();
  if (child == 0) {
    execl("/program", "program", "--no-colors", (char*)NULL);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("\nEXIT %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  fflush(stdout);
  tcdrain(1);
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
