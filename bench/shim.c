// shim COUNT FOLDER RUNTIME SHIM: starts the runtime alone and behind the shim in turn, and prints how long they took.
// FOLDER/config.json is a specification; it is copied to FOLDER/bundle anew before each start. `true` stands for a
// runtime that does nothing: what is left is the shim.
#define _GNU_SOURCE
#include <sys/stat.h>

#include "spawn.h"

static char specification[1 << 20];
static size_t length;

static void put(const char *path, const char *text, size_t size) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || write(file, text, size) != (ssize_t)size) {
    perror(path);
    exit(1);
  }
  close(file);
}

int main(int count, char **words) {
  int rounds = count == 5 ? atoi(words[1]) : 0;
  if (rounds < 1 || chdir(words[2])) return fprintf(stderr, "usage: shim COUNT FOLDER RUNTIME SHIM\n"), 2;
  char *runtime = words[3], *shim = words[4];
  int file = open("config.json", O_RDONLY | O_CLOEXEC);
  length = read(file, specification, sizeof specification);
  close(file);
  mkdir("bundle", 0700);
  mkdir("true", 0700);
  put("true/wirehook.json", "{ \"runtime\": \"/bin/true\" }\n", 27);

  // No runtime is asked to make a container here, which would drown 1 ms in 50: it prints its version.
  char *lines[][6] = {
      {runtime, "--version", NULL},
      {shim, "--version", NULL},
      {"/bin/true", "create", "--bundle", "bundle", "web", NULL},
      {shim, "--config=true/wirehook.json", "state", "web", NULL},
      {shim, "--config=true/wirehook.json", "create", "--bundle", "bundle", NULL},
  };
  const char *names[] = {"runtime --version", "shim, runtime --version", "true", "shim state, true",
                         "shim create, true"};
  enum { KINDS = sizeof lines / sizeof *lines };
  double *times[KINDS], medians[KINDS];
  for (int i = 0; i < KINDS; i++) times[i] = calloc(rounds, sizeof(double));
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < KINDS; i++) {
      put("bundle/config.json", specification, length);
      times[i][round] = spawn(lines[i], "");
    }
  printf("%-28s %8s %8s %8s   (us)\n", "", "median", "p10", "p90");
  for (int i = 0; i < KINDS; i++) medians[i] = summary(names[i], times[i], rounds);
  printf("the shim costs %.0f us at create, %.0f at other commands\n", medians[4] - medians[2], medians[3] - medians[2]);
}
