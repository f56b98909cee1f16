// Tables of iptables-legacy as no kernel would answer them, read and changed under the address and the undefined behaviour
// sanitizer:
//
//   clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE -I Sources/CLinux/include
//     Tests/FuzzHarness/legacy.c -o /tmp/legacy && /tmp/legacy -runs=100000 Tests/corpus/legacy
//
// An input is a byte that chooses family and action, the structure of IPT_SO_GET_INFO, and the entries.
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

static int fake_getsockopt(int socket, int level, int option, void *value, socklen_t *size);
static int fake_setsockopt(int socket, int level, int option, const void *value, socklen_t size);
static int fake_socket(int domain, int type, int protocol);
static int fake_close(int file);
#define getsockopt fake_getsockopt
#define setsockopt fake_setsockopt
#define socket(domain, type, protocol) fake_socket(domain, type, protocol)
#define close fake_close
#include "../../Sources/CLinux/legacy_tables.c"
#undef socket

static struct ipt_getinfo answer;
static const uint8_t *entries;
static size_t entries_size;
static volatile unsigned sum;

static int fake_socket(int domain, int type, int protocol) { return (domain + type + protocol) & 7; }
static int fake_close(int file) { return file & 0; }

static int fake_getsockopt(int file, int level, int option, void *value, socklen_t *size) {
  (void)file, (void)level;
  if (option == IPT_SO_GET_INFO) {
    memcpy(value, &answer, sizeof answer);
    return 0;
  }
  struct ipt_get_entries *get = value;
  if (*size != sizeof *get + get->size || get->size > entries_size) {
    errno = EAGAIN;
    return -1;
  }
  memcpy(get->entrytable, entries, get->size);
  return 0;
}

// The kernel reads all of it.
static int fake_setsockopt(int file, int level, int option, const void *value, socklen_t size) {
  (void)file, (void)level, (void)option;
  for (socklen_t at = 0; at < size; at++) sum += ((const uint8_t *)value)[at];
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 + sizeof answer) return 0;
  uint8_t choice = data[0];
  memcpy(&answer, data + 1, sizeof answer);
  entries = data + 1 + sizeof answer;
  entries_size = size - 1 - sizeof answer;
  answer.size = entries_size;
  int family = choice & 1 ? AF_INET6 : AF_INET;
  static const unsigned char address[16] = {10, 210, 4, 2};
  const struct clinux_legacy_rule narrow = {.out = "docker0", .destination = address, .comment = "wirehook docker0 10.210.4.2"};
  const struct clinux_legacy_rule wide = {.in = "wh-front", .comment = "wirehook"};
  clinux_legacy_accept(family, "DOCKER-USER", choice & 8 ? &narrow : &wide, choice >> 1 & 3);
  struct clinux_legacy_table table;
  if (!clinux_legacy_read(family, &table)) free(table.entries);
  return 0;
}
