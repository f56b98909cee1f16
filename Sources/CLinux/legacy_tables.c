// Rules in a chain of the tables that iptables-legacy writes (ip_tables(7) has no manual: the uapi headers are it). A table
// is one block of entries which is read and replaced as a whole; jumps in it are offsets, which move with what stands
// before them.
#include "clinux.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Where the two families differ; the structures around the entries, and the options' numbers, are the same.
struct layout {
  int domain, level;
  size_t entry, address, to, to_mask, in, in_mask, out, out_mask, target_offset, next_offset;
};
static const struct layout ipv4 = {AF_INET,
                                   SOL_IP,
                                   sizeof(struct ipt_entry),
                                   sizeof(struct in_addr),
                                   offsetof(struct ipt_entry, ip.dst),
                                   offsetof(struct ipt_entry, ip.dmsk),
                                   offsetof(struct ipt_entry, ip.iniface),
                                   offsetof(struct ipt_entry, ip.iniface_mask),
                                   offsetof(struct ipt_entry, ip.outiface),
                                   offsetof(struct ipt_entry, ip.outiface_mask),
                                   offsetof(struct ipt_entry, target_offset),
                                   offsetof(struct ipt_entry, next_offset)};
static const struct layout ipv6 = {AF_INET6,
                                   SOL_IPV6,
                                   sizeof(struct ip6t_entry),
                                   sizeof(struct in6_addr),
                                   offsetof(struct ip6t_entry, ipv6.dst),
                                   offsetof(struct ip6t_entry, ipv6.dmsk),
                                   offsetof(struct ip6t_entry, ipv6.iniface),
                                   offsetof(struct ip6t_entry, ipv6.iniface_mask),
                                   offsetof(struct ip6t_entry, ipv6.outiface),
                                   offsetof(struct ip6t_entry, ipv6.outiface_mask),
                                   offsetof(struct ip6t_entry, target_offset),
                                   offsetof(struct ip6t_entry, next_offset)};

enum { rule_max = 1024, accept_verdict = -NF_ACCEPT - 1, return_verdict = -NF_REPEAT - 1 };

struct table {
  const struct layout *layout;
  int socket;
  struct ipt_getinfo info;
  unsigned char *entries;
};

static uint16_t half(const unsigned char *place) {
  uint16_t value;
  memcpy(&value, place, sizeof value);
  return value;
}

// The entry at `offset`, with its size; 0 where the table is not what it should be.
static size_t entry_size(const struct table *table, size_t offset) {
  const struct layout *layout = table->layout;
  if (offset + layout->entry > table->info.size) return 0;
  const unsigned char *entry = table->entries + offset;
  size_t next = half(entry + layout->next_offset), target = half(entry + layout->target_offset);
  if (next < target + sizeof(struct xt_standard_target) || target < layout->entry || offset + next > table->info.size)
    return 0;
  return next;
}

static unsigned char *target_of(const struct table *table, size_t offset) {
  unsigned char *entry = table->entries + offset;
  return entry + half(entry + table->layout->target_offset);
}

// The verdict of a standard target: negative, or an offset to jump to. False for any other target.
static int verdict_of(const struct table *table, size_t offset, int *verdict) {
  struct xt_standard_target target;
  memcpy(&target, target_of(table, offset), sizeof target);
  if (target.target.u.user.name[0]) return 0;
  *verdict = target.verdict;
  return 1;
}

static int heads(const struct table *table, size_t offset, const char *chain) {
  struct xt_error_target target;
  if (target_of(table, offset) + sizeof target > table->entries + table->info.size) return 0;
  memcpy(&target, target_of(table, offset), sizeof target);
  if (strncmp(target.target.u.user.name, XT_ERROR_TARGET, sizeof target.target.u.user.name)) return 0;
  return !chain || !strncmp(target.errorname, chain, sizeof target.errorname);
}

// Adds a match to the rule that ends at `end`; the new end.
static size_t add_match(unsigned char *rule, size_t end, const char *name, int revision, const void *info, size_t size) {
  struct xt_entry_match match = {0};
  match.u.user.match_size = XT_ALIGN(sizeof match) + XT_ALIGN(size);
  match.u.user.revision = revision;
  strcpy(match.u.user.name, name);
  memcpy(rule + end, &match, sizeof match);
  memcpy(rule + end + XT_ALIGN(sizeof match), info, size);
  return end + match.u.user.match_size;
}

static void name_link(unsigned char *rule, size_t name, size_t mask, const char *link) {
  if (!link) return;
  memcpy(rule + name, link, strlen(link));
  memset(rule + mask, 0xff, strlen(link) + 1);
}

// The bytes of the rule, as iptables writes them; their number.
static size_t build(const struct layout *layout, const struct clinux_legacy_rule *wanted, unsigned char *rule) {
  struct xt_comment_info comment = {{0}};
  struct xt_standard_target target = {0};
  size_t end = layout->entry;
  memset(rule, 0, rule_max);
  name_link(rule, layout->in, layout->in_mask, wanted->in);
  name_link(rule, layout->out, layout->out_mask, wanted->out);
  if (wanted->destination) {
    struct xt_conntrack_mtinfo3 translated = {.match_flags = XT_CONNTRACK_STATE, .state_mask = XT_CONNTRACK_STATE_DNAT};
    memcpy(rule + layout->to, wanted->destination, layout->address);
    memset(rule + layout->to_mask, 0xff, layout->address);
    end = add_match(rule, end, "conntrack", 3, &translated, sizeof translated);
  }
  strncpy(comment.comment, wanted->comment, sizeof comment.comment - 1);
  end = add_match(rule, end, "comment", 0, &comment, sizeof comment);
  target.target.u.user.target_size = sizeof target;
  target.verdict = accept_verdict;
  memcpy(rule + end, &target, sizeof target);
  const uint16_t target_offset = end, next_offset = end + sizeof target;
  memcpy(rule + layout->target_offset, &target_offset, sizeof target_offset);
  memcpy(rule + layout->next_offset, &next_offset, sizeof next_offset);
  return next_offset;
}

// Two entries are the same rule: the kernel fills in counters and which hooks lead to it.
static int is_same(const struct table *table, size_t offset, const unsigned char *rule, size_t size) {
  const unsigned char *entry = table->entries + offset;
  size_t head = table->layout->next_offset + sizeof(uint16_t), body = table->layout->entry;
  return entry_size(table, offset) == size && !memcmp(entry, rule, head) && !memcmp(entry + body, rule + body, size - body);
}

static int is_return(const struct table *table, size_t offset) {
  static const unsigned char nothing[sizeof(struct ip6t_entry)];
  int verdict;
  return half(table->entries + offset + table->layout->target_offset) == table->layout->entry &&
         !memcmp(table->entries + offset, nothing, table->layout->target_offset - sizeof(unsigned)) &&
         verdict_of(table, offset, &verdict) && verdict == return_verdict;
}

static int read_table(struct table *table) {
  socklen_t size = sizeof table->info;
  memset(&table->info, 0, sizeof table->info);
  strcpy(table->info.name, "filter");
  if (getsockopt(table->socket, table->layout->level, IPT_SO_GET_INFO, &table->info, &size)) return -1;
  size = sizeof(struct ipt_get_entries) + table->info.size;
  struct ipt_get_entries *get = calloc(1, size);
  if (!get) return -1;
  strcpy(get->name, "filter");
  get->size = table->info.size;
  if (getsockopt(table->socket, table->layout->level, IPT_SO_GET_ENTRIES, get, &size)) {
    free(get);
    return -1;
  }
  memmove(get, get->entrytable, table->info.size);
  table->entries = (unsigned char *)get;
  return 0;
}

// Whether the entries are whole, and as many as the kernel says: what is allocated and copied goes by that number.
static int is_whole(const struct table *table) {
  size_t at = 0, step = 0;
  unsigned count = 0;
  for (; at < table->info.size && (step = entry_size(table, at)); at += step) count++;
  return at == table->info.size && count == table->info.num_entries;
}

// Replaces the table by one with `added` bytes of a rule at `offset`, or (negative) without those of the rule there.
static int replace(struct table *table, size_t offset, long added, const unsigned char *rule) {
  struct ipt_getinfo *info = &table->info;
  if (!is_whole(table)) {
    errno = EINVAL;
    return -1;
  }
  size_t taken = added < 0 ? (size_t)-added : 0, size = info->size + added;
  unsigned entries = info->num_entries + (added < 0 ? -1 : 1), number = 0;
  struct ipt_replace *new = calloc(1, sizeof *new + size);
  struct xt_counters *old = calloc(info->num_entries, sizeof *old);
  struct xt_counters_info *counters = calloc(1, sizeof *counters + entries * sizeof *counters->counters);
  int result = -1;
  if (!new || !old || !counters) goto end;
  // Jumps are moved before the entries are: a jump to `offset` itself leads to the new rule, as to the old one.
  for (size_t at = 0; at < info->size; at += entry_size(table, at)) {
    int verdict;
    if (at < offset) number++;
    if (!verdict_of(table, at, &verdict) || verdict <= (long)offset || verdict >= (long)info->size) continue;
    verdict += added;
    memcpy(target_of(table, at) + offsetof(struct xt_standard_target, verdict), &verdict, sizeof verdict);
  }
  strcpy(new->name, "filter");
  new->valid_hooks = info->valid_hooks;
  new->num_entries = entries;
  new->size = size;
  for (int hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
    new->hook_entry[hook] = info->hook_entry[hook] + (info->hook_entry[hook] > offset ? added : 0);
    new->underflow[hook] = info->underflow[hook] + (info->underflow[hook] > offset ? added : 0);
  }
  new->num_counters = info->num_entries;
  new->counters = old;
  memcpy(new->entries, table->entries, offset);
  if (added > 0) memcpy((unsigned char *)new->entries + offset, rule, added);
  memcpy((unsigned char *)new->entries + offset + (added > 0 ? added : 0), table->entries + offset + taken,
         info->size - offset - taken);
  if (setsockopt(table->socket, table->layout->level, IPT_SO_SET_REPLACE, new, sizeof *new + size)) goto end;
  strcpy(counters->name, "filter");
  counters->num_counters = entries;
  memcpy(counters->counters, old, number * sizeof *old);
  memcpy(counters->counters + number + (added > 0), old + number + (added < 0),
         (info->num_entries - number - (added < 0)) * sizeof *old);
  // Only the counts of packets are lost without it.
  (void)setsockopt(table->socket, table->layout->level, IPT_SO_SET_ADD_COUNTERS, counters,
                   sizeof *counters + entries * sizeof *counters->counters);
  result = 0;
end:
  free(new);
  free(old);
  free(counters);
  return result;
}

static int apply(struct table *table, const char *chain, const struct clinux_legacy_rule *wanted, int action) {
  unsigned char rule[rule_max];
  size_t size = build(table->layout, wanted, rule), at, step, end = 0;
  int result = 0, found = 0;
  if (read_table(table)) return -1;
  for (at = 0; at < table->info.size && (step = entry_size(table, at)); at += step)
    if (heads(table, at, chain)) break;
  if (at < table->info.size && (step = entry_size(table, at))) {
    for (at += step; at < table->info.size && (step = entry_size(table, at)) && !heads(table, at, NULL); at += step) {
      if (is_same(table, at, rule, size)) {
        found = 1;
        if (action == CLINUX_LEGACY_REMOVE) result = replace(table, at, -(long)size, NULL) ? -1 : 1;
        break;
      }
      if (!end && is_return(table, at)) end = at;
    }
    if (!found && end && action == CLINUX_LEGACY_ADD) result = replace(table, end, (long)size, rule) ? -1 : 1;
    if (!found && action == CLINUX_LEGACY_TEST) result = 1;
  }
  free(table->entries);
  return result;
}

static int fits(const char *link) { return !link || strlen(link) < IFNAMSIZ; }

int clinux_legacy_accept(int family, const char *chain, const struct clinux_legacy_rule *rule, int action) {
  struct table table = {.layout = family == AF_INET ? &ipv4 : &ipv6};
  int result, error;
  if (!fits(rule->in) || !fits(rule->out)) {
    errno = EINVAL;
    return -1;
  }
  table.socket = socket(table.layout->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  if (table.socket < 0) return -1;
  // EAGAIN: another program has replaced the table since we read it.
  for (int tries = 0; (result = apply(&table, chain, rule, action)) < 0 && errno == EAGAIN && tries < 100;) tries++;
  error = errno;
  close(table.socket);
  errno = error;
  return result;
}

int clinux_legacy_read(int family, struct clinux_legacy_table *result) {
  const int is4 = family == AF_INET;
  struct table table = {.layout = is4 ? &ipv4 : &ipv6};
  const struct layout *layout = table.layout;
  table.socket = socket(layout->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  if (table.socket < 0) return -1;
  int failed = read_table(&table), error = errno;
  close(table.socket);
  errno = error;
  if (failed) return -1;
  *result = (struct clinux_legacy_table){
      .entries = table.entries, .size = table.info.size, .hooks = table.info.valid_hooks, .entry = layout->entry,
      .in = layout->in, .in_mask = layout->in_mask, .out = layout->out, .out_mask = layout->out_mask,
      .protocol = is4 ? offsetof(struct ipt_entry, ip.proto) : offsetof(struct ip6t_entry, ipv6.proto),
      .flags = is4 ? offsetof(struct ipt_entry, ip.flags) : offsetof(struct ip6t_entry, ipv6.flags),
      .inverted = is4 ? offsetof(struct ipt_entry, ip.invflags) : offsetof(struct ip6t_entry, ipv6.invflags),
      .target_offset = layout->target_offset, .next_offset = layout->next_offset,
      .goes_to = is4 ? IPT_F_GOTO : IP6T_F_GOTO};
  memcpy(result->begins, table.info.hook_entry, sizeof result->begins);
  memcpy(result->policies, table.info.underflow, sizeof result->policies);
  return 0;
}
