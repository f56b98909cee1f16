import Testing
import WireConfig
import WireCore

@Test func anEmptyMainFileIsTheStandard() throws { #expect(try mainConfig("{}") == .standard) }

@Test func everyKeyOfTheMainFileIsRead() throws {
  let main = try mainConfig(
    """
    {"state_dir":"/var/lib/wirehook/","default_network":"front","auto":false,"runtime":"/usr/bin/crun","log":{"target":"/var/log/w.log","level":"debug"},
     "timeout_ms":2500,"publish_on":["192.168.1.9"],"policy":{"networks":["front","bridge:br*"],"host_ports":[80,"8000-9000"],
     "host_addresses":["192.168.1.0/24"],"sources":["10.0.0.0/8"],"static_ips":false,"macs":false,"sysctls":["net.ipv4.conf.*"],"image_labels":true}}
    """)
  #expect(main.stateDirectory == "/var/lib/wirehook")
  #expect(main.defaultNetwork == "front")
  #expect(!main.auto)
  #expect(main.runtime == "/usr/bin/crun")
  #expect(main.log == LogSettings(target: .file("/var/log/w.log"), level: .debug))
  #expect(main.timeoutMilliseconds == 2500)
  #expect(main.publishOn == [try address("192.168.1.9")])
  #expect(main.policy.hostPorts == [80...80, 8000...9000])
  #expect(main.policy.imageLabels)
}

@Test(
  "The log's short form",
  arguments: [("\"journald\"", LogSettings.Target.journald), ("\"stderr\"", .stderr), ("\"/a\"", .file("/a"))])
func theLogsShortForm(_ text: String, _ target: LogSettings.Target) throws {
  #expect(try mainConfig("{\"log\":\(text)}").log == LogSettings(target: target))
}

@Test(
  "What the main file may not say",
  arguments: [
    ("{\"statedir\":\"/x\"}", "wirehook.json: statedir failed: unknown key; did you mean \"state_dir\"?"),
    ("{\"state_dir\":\"x\"}", "wirehook.json: state_dir \"x\" failed: expected an absolute path"),
    ("{\"state_dir\":\"/\"}", "wirehook.json: state_dir \"/\" failed: expected an absolute path"),
    ("{\"state_dir\":\"/a/../b\"}", "wirehook.json: state_dir \"/a/../b\" failed: expected an absolute path"),
    ("{\"auto\":\"no\"}", "wirehook.json: auto \"no\" failed: expected true or false"),
    (
      "{\"runtime\":\"bin/runc\"}",
      "wirehook.json: runtime \"bin/runc\" failed: expected a name without \"/\", or an absolute path"
    ),
    ("{\"runtime\":\"\"}", "wirehook.json: runtime \"\" failed: expected a name without \"/\", or an absolute path"),
    ("{\"timeout_ms\":0}", "wirehook.json: timeout_ms 0 failed: expected a whole number from 100 to 600000"),
    ("{\"timeout_ms\":1e3}", "wirehook.json: timeout_ms 1000.0 failed: expected a whole number from 100 to 600000"),
    (
      "{\"log\":\"syslog\"}",
      "wirehook.json: log \"syslog\" failed: expected \"journald\", \"stderr\" or the absolute path of a file"
    ),
    (
      "{\"log\":{\"level\":\"loud\"}}",
      "wirehook.json: log.level \"loud\" failed: expected \"error\", \"warning\", \"info\" or \"debug\""
    ),
    (
      "{\"publish_on\":[\"localhost\"]}",
      "wirehook.json: publish_on[0] \"localhost\" failed: expected an address of the host"
    ),
    (
      "{\"default_network\":\"none\"}",
      "wirehook.json: default_network \"none\" failed: expected a network's name: 1 to 64 letters, digits, \"_\", \".\" or \"-\", beginning with a letter or digit"
    ),
    (
      "{\"policy\":{\"ports\":[1]}}",
      "wirehook.json: policy.ports failed: unknown key; known keys are networks, host_ports, host_addresses, sources, static_ips, macs, routes, gateways, vlans, sysctls, image_labels"
    ),
    (
      "{\"policy\":{\"host_ports\":[0]}}",
      "wirehook.json: policy.host_ports[0] 0 failed: expected a whole number from 1 to 65535"
    ),
    (
      "{\"policy\":{\"host_ports\":[\"9-8\"]}}",
      "wirehook.json: policy.host_ports[0] \"9-8\" failed: expected a port, or a range such as \"8000-9000\""
    ),
  ])
func whatTheMainFileMayNotSay(_ text: String, _ error: String) {
  #expect(message { _ = try mainConfig(text) } == error)
}

// MARK: Policy

private func judged(_ policy: String, _ annotations: KeyValuePairs<String, String>) -> String {
  message { try mainConfig("{\"policy\":\(policy)}").policy.judge(request(annotations)) }
}

@Test(
  "Without a policy nearly everything is allowed",
  arguments: [
    ("network", "bridge:br0"), ("ports", "1024:22,65535:53/udp,80"), ("mac", "02:42:64:01:01:06"), ("ip", "10.0.0.9"),
    ("snat", "203.0.113.5"), ("gateway", "10.0.0.8"), ("routes", "default via 10.0.0.8"), ("vlan", "trunk:1-4094"),
    ("sysctl", "net.ipv4.conf.eth0.arp_notify=1,net.ipv4.tcp_keepalive_time=60,net.core.somaxconn=4096"),
    ("sysctl", "net.ipv4.ip_unprivileged_port_start=0,net.ipv6.conf.all.disable_ipv6=1"),
  ])
func withoutAPolicyNearlyEverythingIsAllowed(_ key: String, _ value: String) throws {
  try mainConfig("{}").policy.judge(.parse(annotations: [("wirehook." + key, value)]))
}

@Test(
  "Without a policy some things are not allowed",
  arguments: [
    ("ports", "80:80", "policy.host_ports allows 1024-65535"), ("ports", "1023-1024:80", "host_ports"),
    ("ports", "127.0.0.1:1:1/udp", "host_ports"), ("sysctl", "net.ipv4.ip_forward=1", "policy.sysctls allows "),
    ("sysctl", "net.ipv4.conf.eth0.forwarding=1", "sysctls"), ("sysctl", "net.ipv4.conf.all.proxy_arp=1", "sysctls"),
    ("sysctl", "net.ipv6.conf.all.proxy_ndp=1", "sysctls"), ("sysctl", "net.ipv4.conf.all.route_localnet=1", "sysctls"),
    ("sysctl", "net.ipv4.tcp_mem=1 2 3", "sysctls"), ("sysctl", "net.netfilter.nf_conntrack_max=1", "sysctls"),
  ])
func withoutAPolicySomeThingsAreNotAllowed(_ key: String, _ value: String, _ hint: String) {
  let text = message { try mainConfig("{}").policy.judge(.parse(annotations: [("wirehook." + key, value)])) }
  #expect(text.hasPrefix("annotation wirehook.\(key) ") && text.contains(hint), "\(text)")
}

@Test(
  "The policy refuses by naming key, value and what it allows",
  arguments: [
    ("{\"networks\":[\"front\",\"bridge:br*\"]}", "network", "back", "networks allows front, bridge:br*"),
    ("{\"networks\":[]}", "network", "front", "networks allows nothing"),
    ("{\"host_ports\":[80,\"8000-9000\"]}", "ports", "22:22", "host_ports allows 80, 8000-9000"),
    ("{\"host_ports\":[\"8000-9000\"]}", "ports", "8999-9001:80-82", "host_ports allows 8000-9000"),
    ("{\"host_addresses\":[\"192.168.1.0/24\"]}", "ports", "0.0.0.0:80:80", "host_addresses allows 192.168.1.0/24"),
    ("{\"host_addresses\":[\"192.168.1.0/24\"]}", "snat", "10.0.0.1", "host_addresses allows 192.168.1.0/24"),
    ("{\"sources\":[\"10.0.0.0/8\"]}", "allow", "0.0.0.0/0", "sources allows 10.0.0.0/8"),
    ("{\"static_ips\":false}", "ip", "10.0.0.9", "static_ips allows no address of one's own choice"),
    ("{\"macs\":false}", "mac", "02:42:64:01:01:06", "macs allows no MAC address of one's own choice"),
    ("{\"routes\":[\"10.0.0.0/8\"]}", "routes", "0.0.0.0/0", "routes allows 10.0.0.0/8"),
    ("{\"gateways\":false}", "gateway", "10.0.0.8", "gateways allows no gateway of one's own choice"),
    ("{\"vlans\":[10,\"100-199\"]}", "vlan", "trunk:10-11", "vlans allows 10, 100-199"),
    ("{\"sysctls\":[\"net.core.*\"]}", "sysctl", "net.ipv4.ip_forward=1", "sysctls allows net.core.*"),
  ])
func thePolicyRefusesByNamingKeyValueAndWhatItAllows(_ policy: String, _ key: String, _ value: String, _ hint: String) {
  let shown = key == "sysctl" ? "net.ipv4.ip_forward" : value
  let text = message {
    try mainConfig("{\"policy\":\(policy)}").policy.judge(
      .parse(annotations: [("wirehook." + key, key == "routes" ? "default via 10.0.0.8" : value)]))
  }
  #expect(
    text == "annotation wirehook.\(key) \"\(shown)\" failed: the policy of this host does not allow it; policy.\(hint)")
}

@Test(
  "The policy lets pass what it covers, and what is not asked for",
  arguments: [
    ("{\"networks\":[\"front\",\"bridge:br*\"]}", "network", "front,bridge:br3"), ("{\"networks\":[]}", "mtu", "1400"),
    ("{\"host_ports\":[\"8000-9000\"]}", "ports", "8000-9000:8000-9000,80"),
    ("{\"host_addresses\":[\"192.168.1.0/24\"]}", "ports", "192.168.1.9:8080:80,8081:81"),
    ("{\"host_addresses\":[\"0.0.0.0/0\"]}", "ports", "0.0.0.0:8080:80"),
    ("{\"host_ports\":[\"1-65535\"]}", "ports", "22:22"), ("{\"vlans\":[\"10-19\"]}", "vlan", "12"),
    ("{\"routes\":[\"10.0.0.0/8\"]}", "routes", "10.1.0.0/16 via 10.0.0.8"),
    ("{\"sysctls\":[\"*\"]}", "sysctl", "net.ipv4.ip_forward=1"),
    ("{\"sources\":[\"10.0.0.0/8\"]}", "allow", "10.1.0.0/16,10.2.3.4"),
    ("{\"sysctls\":[\"net.ipv4.conf.*.arp_*\"]}", "sysctl", "net.ipv4.conf.eth0.arp_notify=1"),
    ("{\"static_ips\":false}", "ip", "none"),
  ])
func thePolicyLetsPassWhatItCovers(_ policy: String, _ key: String, _ value: String) throws {
  try mainConfig("{\"policy\":\(policy)}").policy.judge(.parse(annotations: [("wirehook." + key, value)]))
}

@Test func thePolicyNamesTheInterfacesKey() {
  let text = judged("{\"macs\":false}", ["wirehook.network": "a,b:san0", "wirehook.mac.san0": "02:42:64:01:01:06"])
  #expect(text.hasPrefix("annotation wirehook.mac.san0 "))
  let port = judged("{\"sources\":[\"10.0.0.0/8\"]}", ["wirehook.ports": "8080:80", "wirehook.allow.8080": "11.0.0.1"])
  #expect(port.hasPrefix("annotation wirehook.allow.8080 \"11.0.0.1/32\""))
}

// MARK: All files together

@Test func filesThatContradictEachOtherAreFound() throws {
  let a = try network("{\"subnets\":[{\"subnet\":\"10.0.0.0/16\"}]}", file: "a.json")
  let b = try network("{\"subnets\":[{\"subnet\":\"10.0.1.0/24\"}]}", file: "b.json")
  let lan = try network(
    "{\"managed\":false,\"bridge\":\"wh-a\",\"subnets\":[{\"subnet\":\"10.0.2.0/24\"}]}", file: "lan.json")
  let main = try mainConfig("{\"default_network\":\"aa\",\"policy\":{\"networks\":[\"c\",\"a\",\"*\",\"bridge:x\"]}}")
  let found = ConfigurationCheck.findings(
    main: main, networks: [("a.json", a), ("b.json", b), ("lan.json", lan), ("d/a.json", a)])
  let lines = found.map { "\($0.severity): \($0.error)" }
  #expect(
    lines == [
      "error: b.json: subnets[0].subnet \"10.0.1.0/24\" failed: it overlaps 10.0.0.0/16 of a.json",
      "error: lan.json: managed false failed: a.json has the same bridge wh-a with the opposite",
      "warning: lan.json: subnets[0].subnet \"10.0.2.0/24\" failed: it overlaps 10.0.0.0/16 of a.json, on the same bridge wh-a",
      "error: d/a.json: name \"a\" failed: a.json describes a network of this name too",
      "error: d/a.json: subnets[0].subnet \"10.0.0.0/16\" failed: it overlaps 10.0.1.0/24 of b.json",
      "error: d/a.json: managed true failed: lan.json has the same bridge wh-a with the opposite",
      "warning: d/a.json: subnets[0].subnet \"10.0.0.0/16\" failed: it overlaps 10.0.2.0/24 of lan.json, on the same bridge wh-a",
      "error: default_network \"aa\" failed: no file in networks.d describes this network; did you mean \"a\"?",
      "warning: policy.networks \"c\" failed: no file in networks.d describes this network",
    ])
}

@Test func filesThatAgreeAreSilent() throws {
  let a = try network("{\"subnets\":[{\"subnet\":\"10.0.0.0/24\"}]}", file: "a.json")
  let b = try network("{\"subnets\":[{\"subnet\":\"10.0.1.0/24\"}],\"bridge\":\"wh-a\"}", file: "b.json")
  #expect(ConfigurationCheck.findings(main: .standard, networks: [("a.json", a), ("b.json", b)]).isEmpty)
}
