#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

int clinux_setns(int fd, int nstype) { return setns(fd, nstype); }
int clinux_unshare(int flags) { return unshare(flags); }
int clinux_namespace_type(int fd) { return ioctl(fd, NS_GET_NSTYPE); }
int clinux_pidfd_open(pid_t pid) { return syscall(SYS_pidfd_open, pid, 0); }

int clinux_open_beneath(int directory, const char *path, int flags, mode_t mode) {
  struct open_how how = {
      .flags = flags, .mode = mode, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  return syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int clinux_open_in_root(int directory, const char *path, int flags, mode_t mode) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  return syscall(SYS_openat2, directory, path, &how, sizeof how);
}

ssize_t clinux_random(void *buffer, size_t size) { return getrandom(buffer, size, 0); }
int clinux_close_range(unsigned first, unsigned last) { return syscall(SYS_close_range, first, last, 0); }

static int link_request(int socket, const char *name, unsigned long number, struct ifreq *request) {
  if (strlen(name) >= IFNAMSIZ) {
    errno = ENODEV;
    return -1;
  }
  strcpy(request->ifr_name, name);
  return ioctl(socket, number, request);
}

int clinux_link_index(int socket, const char *name) {
  struct ifreq request = {0};
  return link_request(socket, name, SIOCGIFINDEX, &request) ? -1 : request.ifr_ifindex;
}

int clinux_link_mtu(int socket, const char *name) {
  struct ifreq request = {0};
  return link_request(socket, name, SIOCGIFMTU, &request) ? -1 : request.ifr_mtu;
}

static int tx_offload(int socket, const char *name, unsigned command) {
  struct ethtool_value value = {.cmd = command};
  struct ifreq request = {.ifr_data = (void *)&value};
  return link_request(socket, name, SIOCETHTOOL, &request) ? -1 : (int)value.data;
}

int clinux_tx_offload(int socket, const char *name) { return tx_offload(socket, name, ETHTOOL_GTXCSUM); }
int clinux_tx_offload_off(int socket, const char *name) { return tx_offload(socket, name, ETHTOOL_STXCSUM); }

int clinux_packet_socket(int link, uint16_t type, unsigned char *mac) {
  // Without a protocol it hears nothing until it is bound to the link.
  int file = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(type), .sll_ifindex = link};
  socklen_t size = sizeof address;
  int failed = bind(file, (struct sockaddr *)&address, sizeof address) ||
               getsockname(file, (struct sockaddr *)&address, &size);
  if (!failed && (address.sll_hatype != ARPHRD_ETHER || address.sll_halen != ETH_ALEN)) {
    errno = EOPNOTSUPP;
    failed = 1;
  }
  if (failed) {
    int error = errno;
    close(file);
    errno = error;
    return -1;
  }
  memcpy(mac, address.sll_addr, ETH_ALEN);
  return file;
}

static struct flock byte_range(short type, int64_t offset) {
  return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
}

int clinux_lock(int fd, short type, int64_t offset) {
  struct flock lock = byte_range(type, offset);
  return fcntl(fd, F_SETLK, &lock);
}

static void nothing(int signal) { (void)signal; }

// The kernel keeps those who wait in order, which polling would not; so the wait itself must end in time. A timer sends
// SIGALRM to this very thread, again and again: the first may come before fcntl has begun to wait.
int clinux_lock_wait(int fd, short type, int64_t offset, int milliseconds) {
  struct flock lock = byte_range(type, offset);
  struct sigaction action = {.sa_handler = nothing}, old_action;
  sigset_t alarm_only, old_mask;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM, .sigev_notify_thread_id = gettid()};
  timer_t timer;
  struct itimerspec after = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000000L + 1},
                             .it_interval = {0, 5000000}};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer)) return -1;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  sigaction(SIGALRM, &action, &old_action);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, &old_mask);
  timer_settime(timer, 0, &after, NULL);
  int result = fcntl(fd, F_SETLKW, &lock), error = errno;
  timer_delete(timer);
  pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
  sigaction(SIGALRM, &old_action, NULL);
  errno = error;
  return result;
}

pid_t clinux_lock_holder(int fd, short type, int64_t offset) {
  struct flock lock = byte_range(type, offset);
  if (fcntl(fd, F_GETLK, &lock)) return -1;
  return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

/// As fork(2), but with no signal at its end and nothing for a wait for any child to find: a program that waits for its
/// own children never meets this one. Whoever wants its status asks for it by __WCLONE.
static pid_t fork_apart(void) { return syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL); }

/// What a child does first: it lives on after its starter, and nobody must wait for it.
static void detach_keeping(int fd) {
  setsid();
  if (fd < 0) {
    close_range(0, ~0U, 0);
    return;
  }
  if (fd > 0) close_range(0, fd - 1, 0);
  close_range(fd + 1, ~0U, 0);
}

static void wait_milliseconds(long milliseconds) {
  struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
  while (nanosleep(&time, &time) && errno == EINTR) continue;
}

/// The grace period that a socket of nf_tables waits for at close, with room to spare on a busy host.
enum { GRACE_PERIOD = 50 };

int clinux_child_status(pid_t child) {
  int status;
  pid_t found = waitpid(child, &status, WNOHANG | __WCLONE);
  if (found != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

pid_t clinux_hold_open(int fd) {
  pid_t child = fork_apart();
  if (child) return child;
  detach_keeping(fd);
  wait_milliseconds(GRACE_PERIOD);
  _exit(0);
}

pid_t clinux_send_detached(const void *request, size_t size, int held) {
  // No handler of pthread_atfork runs: the child needs nothing of this process but the request.
  pid_t child = fork_apart();
  if (child) return child;
  detach_keeping(held);
  int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  _Alignas(struct nlmsghdr) char answer[8192];
  int status = sendto(netlink, request, size, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0 ? errno : 0;
  // The first answer is the first refusal, or the acknowledgement that the last request asks for.
  if (!status) {
    ssize_t count = recv(netlink, answer, sizeof answer, 0);
    status = count < (ssize_t)NLMSG_LENGTH(sizeof(int)) ? EIO : -*(int *)NLMSG_DATA(answer);
  }
  if (held >= 0) wait_milliseconds(GRACE_PERIOD);
  _exit(status);
}
