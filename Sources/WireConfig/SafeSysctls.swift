extension Policy {
  /// Settings that a container may have without harm to anybody else: each belongs to its own network namespace, opens no
  /// way through the container (forwarding, answering for others), and claims no memory of the host's.
  package static let safeSysctls: [String] =
    [
      "net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
      "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_nonlocal_bind", "net.ipv4.ip_default_ttl",
      "net.ipv4.ip_no_pmtu_disc", "net.ipv4.ping_group_range", "net.ipv4.icmp_*", "net.ipv4.igmp_*",
      "net.ipv4.fib_multipath_*", "net.ipv4.udp_l3mdev_accept", "net.ipv6.bindv6only", "net.ipv6.ip_nonlocal_bind",
      "net.ipv6.flowlabel_*", "net.ipv6.auto_flowlabels", "net.ipv6.icmp.*", "net.unix.max_dgram_qlen",
    ] + tcp.map { "net.ipv4.tcp_\($0)" } + conf4.map { "net.ipv4.conf.*.\($0)" } + conf6.map { "net.ipv6.conf.*.\($0)" }
    + ["4", "6"].flatMap { family in neigh.map { "net.ipv\(family).neigh.*.\($0)" } }

  private static let tcp = [
    "congestion_control", "early_retrans", "ecn*", "fack", "fastopen", "fin_timeout", "frto", "keepalive_*",
    "l3mdev_accept", "max_syn_backlog", "max_tw_buckets", "min_*", "moderate_rcvbuf", "mtu_probing", "no_metrics_save",
    "notsent_lowat", "orphan_retries", "pacing_*", "recovery", "reordering", "retrans_collapse", "retries*", "rfc1337",
    "rmem", "sack", "slow_start_after_idle", "syn_*", "syncookies", "synack_retries", "thin_linear_timeouts",
    "timestamps", "tw_reuse", "user_timeout", "window_scaling", "wmem",
  ]

  private static let conf4 = [
    "accept_redirects", "arp_accept", "arp_announce", "arp_filter", "arp_ignore", "arp_notify", "disable_policy",
    "disable_xfrm", "drop_*", "force_igmp_version", "igmpv*", "log_martians", "promote_secondaries", "rp_filter",
    "secure_redirects", "send_redirects", "shared_media", "src_valid_mark",
  ]

  private static let conf6 = [
    "accept_dad", "accept_ra*", "accept_redirects", "accept_untracked_na", "addr_gen_mode", "autoconf", "dad_transmits",
    "disable_ipv6", "drop_*", "enhanced_dad", "force_tllao", "hop_limit", "keep_addr_on_down", "max_addresses",
    "max_desync_factor", "mldv*", "mtu", "ndisc_notify", "ndisc_tclass", "optimistic_dad", "regen_*",
    "router_*", "suppress_frag_ndisc", "temp_*", "use_*",
  ]

  private static let neigh = [
    "app_solicit", "base_reachable_time*", "delay_first_probe_time", "gc_stale_time", "locktime", "mcast_*",
    "retrans_time*", "ucast_solicit",
  ]
}
