// The least that an attach can be: rtnetlink alone, no record, no addresses to choose, no firewall, in one static
// process. What the hook takes beyond it is what wirehook costs.
//
//   minimal attach PID NUMBER BRIDGE    veth into the namespace of PID, 10.99.x.y/16, default route by 10.99.0.1
//   minimal detach NUMBER               deletes the host's end and waits for the acknowledgement
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static _Alignas(4) char buffer[4096];
static size_t used;
static struct nlmsghdr *message;

static void fail(const char *what) {
  fprintf(stderr, "minimal: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void *put(const void *bytes, size_t size) {
  void *at = buffer + used;
  if (used + NLMSG_ALIGN(size) > sizeof buffer) exit(2);
  memcpy(at, bytes, size);
  used += NLMSG_ALIGN(size);
  message->nlmsg_len = buffer + used - (char *)message;
  return at;
}

static void begin(int type, int flags, const void *body, size_t size) {
  struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
  message = (struct nlmsghdr *)(buffer + used);
  put(&header, sizeof header);
  put(body, size);
}

static struct rtattr *attribute(int type, const void *bytes, size_t size) {
  struct rtattr header = {.rta_len = RTA_LENGTH(size), .rta_type = type};
  struct rtattr *at = put(&header, sizeof header);
  if (size) put(bytes, size);
  return at;
}

static void end(struct rtattr *nest) { nest->rta_len = buffer + used - (char *)nest; }

// Sends all that was begun and waits for the last answer; any error ends the program.
static void talk(int fd) {
  static char answers[16384];
  message->nlmsg_flags |= NLM_F_ACK;
  if (send(fd, buffer, used, 0) < 0) fail("send");
  for (;;) {
    ssize_t size = recv(fd, answers, sizeof answers, 0);
    if (size < 0) fail("recv");
    for (struct nlmsghdr *m = (void *)answers; NLMSG_OK(m, size); m = NLMSG_NEXT(m, size)) {
      if (m->nlmsg_type != NLMSG_ERROR) continue;
      errno = -((struct nlmsgerr *)NLMSG_DATA(m))->error;
      if (errno) fail("the kernel refused");
      used = 0;
      return;
    }
  }
}

static int netlink(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) fail("socket");
  return fd;
}

static void create_pair(int pid, const char *name, const char *bridge) {
  struct ifinfomsg up = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, peer = {0};
  int master = if_nametoindex(bridge);
  if (!master) fail(bridge);
  begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &up, sizeof up);
  attribute(IFLA_IFNAME, name, strlen(name) + 1);
  attribute(IFLA_MASTER, &master, sizeof master);
  struct rtattr *info = attribute(IFLA_LINKINFO, 0, 0);
  attribute(IFLA_INFO_KIND, "veth", 5);
  struct rtattr *data = attribute(IFLA_INFO_DATA, 0, 0);
  struct rtattr *other = attribute(VETH_INFO_PEER, 0, 0);
  put(&peer, sizeof peer);
  attribute(IFLA_IFNAME, "eth0", 5);
  attribute(IFLA_NET_NS_PID, &pid, sizeof pid);
  end(other);
  end(data);
  end(info);
  talk(netlink());
}

static void configure(int pid, unsigned number) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET)) fail(path);
  int fd = netlink();
  int index = if_nametoindex("eth0");
  struct ifinfomsg lo = {.ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP}, eth0 = lo;
  eth0.ifi_index = index;
  struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = index};
  struct rtmsg route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
                        .rtm_type = RTN_UNICAST};
  uint32_t own = htonl(0x0a630002 + number), gateway = htonl(0x0a630001);
  begin(RTM_NEWLINK, 0, &lo, sizeof lo);
  begin(RTM_NEWLINK, 0, &eth0, sizeof eth0);
  begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &address, sizeof address);
  attribute(IFA_LOCAL, &own, sizeof own);
  attribute(IFA_ADDRESS, &own, sizeof own);
  begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route, sizeof route);
  attribute(RTA_GATEWAY, &gateway, sizeof gateway);
  talk(fd);
}

int main(int count, char **words) {
  char name[IFNAMSIZ];
  if (count == 5 && !strcmp(words[1], "attach")) {
    snprintf(name, sizeof name, "min%u", atoi(words[3]));
    create_pair(atoi(words[2]), name, words[4]);
    configure(atoi(words[2]), atoi(words[3]));
  } else if (count == 3 && !strcmp(words[1], "detach")) {
    struct ifinfomsg link = {0};
    snprintf(name, sizeof name, "min%u", atoi(words[2]));
    begin(RTM_DELLINK, 0, &link, sizeof link);
    attribute(IFLA_IFNAME, name, strlen(name) + 1);
    talk(netlink());
  } else {
    fprintf(stderr, "usage: minimal attach PID NUMBER BRIDGE | detach NUMBER\n");
    return 2;
  }
}
