// start COUNT PROGRAM...: starts the programs in turn, each with --version, and prints how long they took.
#define _GNU_SOURCE
#include "spawn.h"

int main(int count, char **words) {
  int rounds = count > 2 ? atoi(words[1]) : 0, programs = count - 2;
  if (rounds < 1) return fprintf(stderr, "usage: start COUNT PROGRAM...\n"), 2;
  double *times = calloc((size_t)rounds * programs, sizeof *times);
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < programs; i++) {
      char *line[] = {words[2 + i], "--version", NULL};
      times[i * rounds + round] = spawn(line, "");
    }
  printf("%-28s %8s %8s %8s   (us)\n", "", "median", "p10", "p90");
  for (int i = 0; i < programs; i++) {
    char *slash = strrchr(words[2 + i], '/');
    summary(slash ? slash + 1 : words[2 + i], times + i * rounds, rounds);
  }
}
