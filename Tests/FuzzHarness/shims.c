// Every function of the C in Sources, called with what it is for and with what it is not, under the address and the
// undefined behaviour sanitizer. What it is handed lies on the heap in its exact size, so that a byte too many is found.
//
// Arguments: an empty folder, and files of JSON. A network namespace of its own, so root.
#include "../../Sources/CJSONC/shim.h"
#include "../../Sources/CSQLite/shim.h"
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) {                                                     \
      fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, strerror(errno)); \
      exit(1);                                                              \
    }                                                                       \
  } while (0)
#define FAILS(call, number) CHECK((call) == -1 && errno == (number))

static void *exactly(const void *bytes, size_t size) {
  char *copy = malloc(size ? size : 1);
  CHECK(copy);
  if (size) memcpy(copy, bytes, size);
  return copy;
}

static char *text(const char *value) { return exactly(value, strlen(value) + 1); }

static char *repeated(char letter, size_t count) {
  char *copy = malloc(count + 1);
  CHECK(copy);
  memset(copy, letter, count);
  copy[count] = 0;
  return copy;
}

static void namespaces(void) {
  FAILS(clinux_unshare(-1), EINVAL);
  CHECK(clinux_unshare(CLONE_NEWNET) == 0);
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR | O_CLOEXEC);
  CHECK(clinux_namespace_type(own) == CLONE_NEWNET);
  FAILS(clinux_namespace_type(null), ENOTTY);
  FAILS(clinux_namespace_type(-1), EBADF);
  CHECK(clinux_setns(own, CLONE_NEWNET) == 0);
  FAILS(clinux_setns(-1, CLONE_NEWNET), EBADF);
  FAILS(clinux_pidfd_open(-5), EINVAL);
  int self = clinux_pidfd_open(getpid());
  CHECK(self >= 0);
  close(own), close(null), close(self);
}

static void files(const char *folder) {
  int directory = open(folder, O_DIRECTORY | O_CLOEXEC);
  CHECK(directory >= 0);
  char *name = text("file"), *out = text("../file"), *absolute = text("/file"), *empty = text("");
  char *lengthy = repeated('a', 5000);
  int file = clinux_open_beneath(directory, name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  CHECK(file >= 0);
  FAILS(clinux_open_beneath(directory, out, O_RDONLY, 0), EXDEV);
  FAILS(clinux_open_beneath(directory, absolute, O_RDONLY, 0), EXDEV);
  FAILS(clinux_open_beneath(directory, empty, O_RDONLY, 0), ENOENT);
  FAILS(clinux_open_beneath(directory, lengthy, O_RDONLY, 0), ENAMETOOLONG);
  int other = clinux_open_in_root(directory, absolute, O_RDWR | O_CLOEXEC, 0);
  CHECK(other >= 0);
  FAILS(clinux_open_in_root(directory, lengthy, O_RDONLY, 0), ENAMETOOLONG);
  FAILS(clinux_open_in_root(-1, name, O_RDONLY, 0), EBADF);

  char *random = malloc(64);
  CHECK(clinux_random(random, 64) == 64);
  CHECK(clinux_random(random, 0) == 0);
  CHECK(clinux_close_range(900, 999) == 0);
  FAILS(clinux_close_range(9, 8), EINVAL);

  CHECK(clinux_lock(file, F_WRLCK, 7) == 0);
  CHECK(clinux_lock_holder(file, F_WRLCK, 7) == 0);
  FAILS(clinux_lock(-1, F_WRLCK, 0), EBADF);
  FAILS(clinux_lock_holder(-1, F_WRLCK, 0), EBADF);
  pid_t owner = getpid(), child = fork();
  if (!child) {
    CHECK(clinux_lock(file, F_WRLCK, 7) == -1);
    CHECK(clinux_lock_holder(file, F_WRLCK, 7) == owner);
    FAILS(clinux_lock_wait(file, F_WRLCK, 7, 20), EINTR);
    FAILS(clinux_lock_wait(file, F_WRLCK, 7, 0), EINTR);
    CHECK(clinux_lock_wait(file, F_WRLCK, 8, 1000) == 0);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(clinux_lock(file, F_UNLCK, 7) == 0);
  pid_t holder = clinux_hold_open(file);
  CHECK(holder > 0);
  while ((status = clinux_child_status(holder)) == -1) usleep(5000);
  CHECK(status == 0);
  CHECK(clinux_child_status(holder) == -1);
  close(directory), close(file), close(other);
  free(name), free(out), free(absolute), free(empty), free(lengthy), free(random);
}

// As `ip link add NAME type bridge`.
static int make_bridge(const char *name) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg link;
    char attributes[64];
  } request = {.header = {.nlmsg_type = RTM_NEWLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL}};
  char *at = request.attributes;
  struct rtattr label = {.rta_type = IFLA_IFNAME, .rta_len = RTA_LENGTH(strlen(name) + 1)};
  memcpy(at, &label, sizeof label), memcpy(at + sizeof label, name, strlen(name) + 1);
  at += RTA_ALIGN(label.rta_len);
  struct rtattr info = {.rta_type = IFLA_LINKINFO, .rta_len = RTA_LENGTH(RTA_LENGTH(6))};
  struct rtattr kind = {.rta_type = IFLA_INFO_KIND, .rta_len = RTA_LENGTH(6)};
  memcpy(at, &info, sizeof info), memcpy(at + 4, &kind, sizeof kind), memcpy(at + 8, "bridge", 6);
  at += RTA_ALIGN(info.rta_len);
  request.header.nlmsg_len = at - (char *)&request;
  void *bytes = exactly(&request, request.header.nlmsg_len);
  pid_t child = clinux_send_detached(bytes, request.header.nlmsg_len, -1);
  CHECK(child > 0);
  int status;
  while ((status = clinux_child_status(child)) == -1) usleep(1000);
  free(bytes);
  return status;
}

static void links(void) {
  int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CHECK(any >= 0);
  CHECK(make_bridge("br0") == 0);
  CHECK(make_bridge("br0") == EEXIST);
  char *bridge = text("br0");
  int index = clinux_link_index(any, bridge);
  CHECK(index > 1 && clinux_link_mtu(any, bridge) == 1500);
  CHECK(clinux_tx_offload(any, bridge) >= -1 && clinux_tx_offload_off(any, bridge) >= -1);
  for (size_t length = 0; length <= 40; length++) {
    char *name = repeated('a', length);
    CHECK(clinux_link_index(any, name) == -1 && clinux_link_mtu(any, name) == -1);
    CHECK(clinux_tx_offload(any, name) == -1 && clinux_tx_offload_off(any, name) == -1);
    free(name);
  }
  FAILS(clinux_link_index(-1, bridge), EBADF);

  unsigned char *mac = malloc(6);
  int packets = clinux_packet_socket(index, 0x0806, mac);
  CHECK(packets >= 0 && !(mac[0] & 1));
  FAILS(clinux_packet_socket(1, 0x0806, mac), EOPNOTSUPP);
  FAILS(clinux_packet_socket(7777, 0x0806, mac), ENODEV);
  char *chain = text("DOCKER-USER"), *comment = text("a comment"), *overlong = repeated('c', 300);
  unsigned char *address = exactly("sixteen bytes ..", 16);
  const struct clinux_legacy_rule wide = {.in = bridge, .comment = comment};
  const struct clinux_legacy_rule narrow = {.out = bridge, .destination = address, .comment = overlong};
  const struct clinux_legacy_rule unnamed = {.in = overlong, .comment = comment};
  for (int action = CLINUX_LEGACY_REMOVE; action <= CLINUX_LEGACY_TEST; action++) {
    // There is no such chain, or the kernel has no such tables.
    CHECK(clinux_legacy_accept(AF_INET, chain, &wide, action) <= 0);
    CHECK(clinux_legacy_accept(AF_INET6, overlong, &narrow, action) <= 0);
    FAILS(clinux_legacy_accept(AF_INET, chain, &unnamed, action), EINVAL);
  }
  struct clinux_legacy_table *table = malloc(sizeof *table);
  if (clinux_legacy_read(AF_INET, table) == 0) free(table->entries);
  if (clinux_legacy_read(AF_INET6, table) == 0) free(table->entries);
  close(any), close(packets);
  free(bridge), free(mac), free(chain), free(comment), free(overlong), free(address), free(table);
}

static void json(const char *bytes, size_t length, int depth) {
  char *copy = malloc(length + 1);
  CHECK(copy);
  memcpy(copy, bytes, length);
  copy[length] = 0;
  enum json_tokener_error error;
  struct json_object *object = cjsonc_parse(copy, length, depth, &error);
  CHECK(error == json_tokener_success || !object);
  json_object_put(object);
  free(copy);
}

static void documents(int count, char **names) {
  json("", 0, 8), json("null", 4, 8), json("1", 1, 8), json("[[[[", 4, 2), json("[]", 2, 1);
  for (int number = 0; number < count; number++) {
    char *bytes = malloc(1 << 20);
    FILE *file = fopen(names[number], "r");
    CHECK(bytes && file);
    size_t length = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    json(bytes, length, 66);
    for (size_t end = 0; end < length; end += 1 + length / 200) json(bytes, end, 66);
    free(bytes);
  }
}

static void database(void) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  CHECK(csqlite_configure() == SQLITE_OK);
  CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
  CHECK(csqlite_set(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1) == SQLITE_OK);
  CHECK(csqlite_set(db, -1, 1) == SQLITE_ERROR);
  CHECK(sqlite3_prepare_v2(db, "SELECT length(?1), length(?2)", -1, &statement, 0) == SQLITE_OK);
  for (int length = 0; length < 300; length += 1 + length / 8) {
    char *bytes = repeated('x', length);
    char *unterminated = exactly(bytes, length);
    CHECK(csqlite_bind_text(statement, 1, unterminated, length) == SQLITE_OK);
    CHECK(csqlite_bind_blob(statement, 2, unterminated, length) == SQLITE_OK);
    free(unterminated);
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(sqlite3_column_int(statement, 0) == length && sqlite3_column_int(statement, 1) == length);
    sqlite3_reset(statement);
    free(bytes);
  }
  CHECK(csqlite_bind_text(statement, 9, "", 0) == SQLITE_RANGE);
  CHECK(csqlite_bind_blob(statement, 0, "", 0) == SQLITE_RANGE);
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

int main(int count, char **arguments) {
  CHECK(count > 2);
  database();
  documents(count - 2, arguments + 2);
  namespaces();
  files(arguments[1]);
  links();
  puts("all called");
  return 0;
}
