// attach HOOK CONFIG MINIMAL BRIDGE FOLDER COUNT ALREADY PORTS
//
// Makes namespaces, then attaches and detaches them in turn with the hook and with the minimal program. Every
// namespace is held by a process of its own, as a container's is by its init.
#define _GNU_SOURCE
#include "spawn.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static const char *hook, *config, *folder;
static int ports;

// A process in a network namespace of its own, which ends with this one.
static pid_t container(void) {
  int ready[2];
  char byte;
  if (pipe(ready)) exit(3);
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ready[0]);
    if (unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  if (pid < 0 || read(ready[0], &byte, 1) != 1) {
    fprintf(stderr, "cannot make a network namespace\n");
    exit(1);
  }
  close(ready[0]);
  return pid;
}

// A bundle for container `number`, as a runtime would find it.
static void bundle(int number, char *path, size_t size) {
  char file[512];
  snprintf(path, size, "%s/c%d", folder, number);
  snprintf(file, sizeof file, "%s/config.json", path);
  mkdir(path, 0700);
  FILE *out = fopen(file, "w");
  if (!out) exit(3);
  fprintf(out, "{\"ociVersion\":\"1.0.2\",\"linux\":{\"namespaces\":[{\"type\":\"network\"}]},\"annotations\":{");
  if (ports) fprintf(out, "\"wirehook.ports\":\"");
  for (int i = 0; i < ports; i++)
    fprintf(out, "%s%d:%d", i ? "," : "", 10000 + (number * ports + i) % 22000, 80 + i);
  fprintf(out, "%s}}\n", ports ? "\"" : "");
  fclose(out);
}

static double call_hook(const char *stage, int number, pid_t pid) {
  char path[256], state[1024], entry[32] = "";
  snprintf(path, sizeof path, "%s/c%d", folder, number);
  if (pid) {
    bundle(number, path, sizeof path);
    snprintf(entry, sizeof entry, "\"pid\":%d,", pid);
  }
  snprintf(state, sizeof state, "{\"ociVersion\":\"1.0.2\",\"id\":\"bench-%d\",\"status\":\"%s\",%s\"bundle\":\"%s\"}",
           number, pid ? "creating" : "stopped", entry, path);
  char *line[] = {(char *)hook, "--config", (char *)config, (char *)stage, NULL};
  return spawn(line, state);
}

int main(int words, char **word) {
  if (words != 9) return fprintf(stderr, "attach is started by bench/run\n"), 2;
  hook = word[1], config = word[2], folder = word[5], ports = atoi(word[8]);
  char *minimal = word[3], *bridge = word[4];
  int count = atoi(word[6]), already = atoi(word[7]);
  double *times[4];
  pid_t *ours = calloc(count + already + 1, sizeof *ours), *theirs = calloc(count + 1, sizeof *theirs);
  char pid[16], number[16];

  for (int i = 0; i < 4; i++) times[i] = calloc(count + 1, sizeof(double));
  for (int i = 0; i < count + already; i++) ours[i] = container();
  for (int i = 0; i < count; i++) theirs[i] = container();
  for (int i = 0; i < already; i++) call_hook("createRuntime", i, ours[i]);

  for (int i = 0; i < count; i++) {
    snprintf(pid, sizeof pid, "%d", theirs[i]);
    snprintf(number, sizeof number, "%d", i);
    char *attach[] = {minimal, "attach", pid, number, bridge, NULL};
    times[0][i] = spawn(attach, "");
    times[1][i] = call_hook("createRuntime", already + i, ours[already + i]);
  }
  for (int i = 0; i < count; i++) {
    snprintf(number, sizeof number, "%d", i);
    char *detach[] = {minimal, "detach", number, NULL};
    times[2][i] = spawn(detach, "");
    times[3][i] = call_hook("poststop", already + i, 0);
  }

  printf("%d containers, %d there already, %d ports each\n", count, already, ports);
  printf("%-28s %8s %8s %8s   (us)\n", "", "median", "p10", "p90");
  double least = summary("attach, minimal", times[0], count), attach = summary("attach, wirehook-oci", times[1], count);
  double wait = summary("detach, minimal", times[2], count), detach = summary("detach, wirehook-oci", times[3], count);
  printf("attach %.2f times, detach %.2f times the minimal program's\n", attach / least, detach / wait);
  for (int i = 0; i < already; i++) call_hook("poststop", i, 0);
  for (int i = 0; i < count + already; i++) kill(ours[i], SIGKILL);
  for (int i = 0; i < count; i++) kill(theirs[i], SIGKILL);
}
