/* Loaded before libc (LD_PRELOAD): says to a program that lists of the kernel's changed while it gave them.
   DUMPS_FIRST and DUMPS_TIMES: which of its dumps, counted from 1, and how many in a row. DUMPS_LOG: gets a line for each. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static long first, times, count;
static int open_dump;
static const char *log_path;
static pid_t self;

static long number(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

__attribute__((constructor)) static void begin(void) {
  first = number("DUMPS_FIRST");
  times = number("DUMPS_TIMES");
  log_path = getenv("DUMPS_LOG");
  self = getpid();
}

static void note(void) {
  if (!log_path) return;
  int file = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || write(file, "\n", 1) != 1) abort();
  close(file);
}

ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from, socklen_t *from_size) {
  static ssize_t (*real)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
  if (!real) real = dlsym(RTLD_NEXT, "recvfrom");
  ssize_t got = real(fd, buffer, size, flags, from, from_size);
  struct nlmsghdr *message = buffer;
  if (got < (ssize_t)sizeof *message || (size_t)got > size || getpid() != self) return got;
  if (!from || from->sa_family != AF_NETLINK || !(message->nlmsg_flags & NLM_F_MULTI)) return got;
  // A list that is refused is no list.
  if (!open_dump && message->nlmsg_type == NLMSG_DONE && *(int *)NLMSG_DATA(message) != 0) return got;
  if (!open_dump) {
    count++;
    note();
  }
  if (count >= first && count < first + times) message->nlmsg_flags |= NLM_F_DUMP_INTR;
  int left = (int)got;
  for (open_dump = 1; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
    if (message->nlmsg_type == NLMSG_DONE) open_dump = 0;
  return got;
}
