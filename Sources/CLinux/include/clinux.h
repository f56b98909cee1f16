// The calls and constants that Swift's Glibc module does not show: GNU extensions, variadic functions, macros with casts.
// Every function answers -1 with errno set when it fails, as system calls do.
#pragma once
#include <netinet/in.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

/// setns(2).
int clinux_setns(int fd, int nstype);
/// unshare(2).
int clinux_unshare(int flags);
/// The CLONE_NEW* type of an open namespace file (NS_GET_NSTYPE, ioctl_ns(2)); ENOTTY for any other file.
int clinux_namespace_type(int fd);
/// pidfd_open(2), without flags.
int clinux_pidfd_open(pid_t pid);
/// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS.
int clinux_open_beneath(int directory, const char *_Nonnull path, int flags, mode_t mode);
/// openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: links lead where they would after chroot(2) to `directory`.
int clinux_open_in_root(int directory, const char *_Nonnull path, int flags, mode_t mode);
/// getrandom(2), without flags.
ssize_t clinux_random(void *_Nonnull buffer, size_t size);
/// close_range(2), without flags.
int clinux_close_range(unsigned first, unsigned last);
/// The index of a link by name in the namespace of `socket`, which may be of any kind (SIOCGIFINDEX, netdevice(7)).
int clinux_link_index(int socket, const char *_Nonnull name);
/// The MTU of a link by name, likewise (SIOCGIFMTU).
int clinux_link_mtu(int socket, const char *_Nonnull name);
/// Whether a link computes no checksums of what it sends but leaves them to hardware, likewise: 1 or 0 (SIOCETHTOOL with
/// ETHTOOL_GTXCSUM, linux/ethtool.h).
int clinux_tx_offload(int socket, const char *_Nonnull name);
/// Switches that off (ETHTOOL_STXCSUM). EOPNOTSUPP where a link can do nothing else than it does.
int clinux_tx_offload_off(int socket, const char *_Nonnull name);

/// A packet socket (packet(7)) that gets what comes in by one link of one protocol (an Ethernet type), with the Ethernet
/// header, and sends by it; `mac` becomes the link's address of 6 bytes. EOPNOTSUPP where the link is none of Ethernet.
int clinux_packet_socket(int link, uint16_t type, unsigned char *_Nonnull mac);

/// fcntl(2) F_SETLK on one byte; `type` is F_RDLCK, F_WRLCK or F_UNLCK.
int clinux_lock(int fd, short type, int64_t offset);
/// fcntl(2) F_SETLKW on one byte, for at most `milliseconds`; EINTR when they are over.
int clinux_lock_wait(int fd, short type, int64_t offset, int milliseconds);
/// The pid of a process whose lock is in the way of ours (fcntl(2) F_GETLK); 0: there is none.
pid_t clinux_lock_holder(int fd, short type, int64_t offset);

/// Starts a child that sends `request`, whose last message asks for an acknowledgement, to rtnetlink in this thread's
/// namespace, and that exits with the error's number when the kernel has carried it out. Nobody waits for it by accident:
/// it has a session of its own and no open descriptor but its socket. Answers its pid.
/// With `held` that descriptor stays open in the child for the grace period as well, see clinux_hold_open; -1: none.
pid_t clinux_send_detached(const void *_Nonnull request, size_t size, int held);
/// The error number that such a child ended with, 0 for success; -1 while it is at it.
int clinux_child_status(pid_t child);
/// Starts a child that does nothing but keep `fd` open for 50 ms. A socket of nf_tables that is closed right after a
/// deletion waits for the kernel's grace period, some 15 ms; later it does not. Answers its pid.
pid_t clinux_hold_open(int fd);

enum { CLINUX_LEGACY_REMOVE, CLINUX_LEGACY_ADD, CLINUX_LEGACY_TEST };
/// An accept in a chain of table `filter` of iptables-legacy: `-i LINK`, `-o LINK`, `-d ADDRESS -m conntrack --ctstate DNAT`.
struct clinux_legacy_rule {
  /// NULL: from, or to, any link.
  const char *_Nullable in, *_Nullable out;
  /// 4 or 16 bytes: only what was translated to this address. NULL: every packet.
  const unsigned char *_Nullable destination;
  const char *_Nonnull comment;
};
/// The rule is added before the first one that returns whatever comes, or removed, or looked for. `family` is AF_INET or
/// AF_INET6. 1 where it was changed, or is missing; 0 where all is so already, or there is no such chain; -1 with errno. Asking
/// loads the table into this namespace where there was none: look into /proc/net/ip_tables_names first.
int clinux_legacy_accept(int family, const char *_Nonnull chain, const struct clinux_legacy_rule *_Nonnull rule,
                         int action);

/// Table `filter` of iptables-legacy as the kernel has it, and where the parts of its entries are, which differ between the
/// two families.
struct clinux_legacy_table {
  unsigned char *_Nullable entries;
  uint32_t size;
  /// By the numbers of `enum nf_inet_hooks`: where each hook's chain begins, and its policy's entry; `hooks` has their bits.
  uint32_t hooks, begins[5], policies[5];
  uint32_t entry, in, in_mask, out, out_mask, protocol, flags, inverted, target_offset, next_offset;
  /// The bit of the flags that makes a jump one without return.
  uint16_t goes_to;
};
/// Reads it; free(3) takes the entries back. 0, or -1 with errno. Asking loads the table, see above.
int clinux_legacy_read(int family, struct clinux_legacy_table *_Nonnull table);
