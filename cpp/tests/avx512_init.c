// The first process of the emulated machine (avx512_emulated.sh): sees that programs have AVX-512 there, runs
// /program on the serial line, prints its exit status, stops.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

// What the folder kernels/avx512 is compiled for and the kernel hands on (XSAVE state of the wide registers
// included).
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq") &&
         __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("avx512vbmi");
}

static int run_program(void) {
  const pid_t child = fork();
  if (child == 0) {
    execl("/program", "program", "--no-colors", (char*)NULL);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void) {
  mkdir("/proc", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  mkdir("/dev", 0755);
  mount("dev", "/dev", "devtmpfs", 0, NULL);
  mkdir("/tmp", 0755);
  const int line = open("/dev/ttyS0", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) dup2(line, fd);

  const int usable = has_avx512();
  printf("the emulated machine %s AVX-512\n", usable ? "has" : "lacks");
  fflush(stdout);
  printf("\nEXIT %d\n", usable ? run_program() : 1);
  fflush(stdout);
  tcdrain(1);
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
