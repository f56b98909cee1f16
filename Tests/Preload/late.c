/* Loaded before libc (LD_PRELOAD): the children of a program send late, after LATE_MILLISECONDS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static pid_t self;
static long milliseconds;

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("LATE_MILLISECONDS");
  milliseconds = text ? atol(text) : 0;
  self = getpid();
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t to_size) {
  static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
  if (!real) real = dlsym(RTLD_NEXT, "sendto");
  if (getpid() != self) usleep(milliseconds * 1000);
  return real(fd, bytes, size, flags, to, to_size);
}
