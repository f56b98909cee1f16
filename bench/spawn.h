// Starting a program and timing it from outside, as a runtime would see it.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

// Runs a program with `input` on standard input; its microseconds until it was reaped. A failure ends the benchmark.
static double spawn(char *const words[], const char *input) {
  int ends[2], status;
  pid_t pid;
  posix_spawn_file_actions_t actions;
  if (pipe2(ends, O_CLOEXEC)) exit(3);
  if (write(ends[1], input, strlen(input)) < 0) exit(3);
  close(ends[1]);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  double start = microseconds();
  errno = posix_spawn(&pid, words[0], &actions, 0, words, environ);
  if (errno) {
    perror(words[0]);
    exit(1);
  }
  waitpid(pid, &status, 0);
  double time = microseconds() - start;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[0]);
  if (status) {
    fprintf(stderr, "%s %s: status 0x%x\n", words[0], words[1] ? words[1] : "", status);
    exit(1);
  }
  return time;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Sorts the times, and prints median, tenth and ninetieth percentile; the median comes back.
static double summary(const char *name, double *times, int count) {
  qsort(times, count, sizeof *times, ascending);
  printf("%-28s %8.0f %8.0f %8.0f\n", name, times[count / 2], times[count / 10], times[count * 9 / 10]);
  return times[count / 2];
}
