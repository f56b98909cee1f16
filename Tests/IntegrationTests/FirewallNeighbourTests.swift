import Foundation
import Support
import Testing

/// Beside other people's rulesets: ours comes back in one run, theirs stay as they are (field cases B38, B43, B44).
@Suite(needsRoot) struct FirewallNeighbourTests {
  struct Neighbour: Sendable, CustomTestStringConvertible {
    let name: String
    let rules: String
    /// What takes some of ours away.
    let damage: String
    /// A word of what `check` then says.
    let said: String
    var needs: [Tool] = []
    var testDescription: String { name }
  }

  private static func both(_ tool: String, _ lines: String...) -> String {
    lines.flatMap { ["\(tool) -w \($0)", "\(tool.replacing("iptables", with: "ip6tables")) -w \($0)"] }
      .joined(separator: "\n")
  }

  private static func docker(_ tool: String) -> String {
    both(
      tool, "-N DOCKER", "-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-A FORWARD -j DOCKER-USER",
      "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A FORWARD -o docker0 -j DOCKER",
      "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", "-A DOCKER ! -i docker0 -o docker0 -j DROP", "-P FORWARD DROP",
      "-t nat -A POSTROUTING ! -o docker0 -m mark --mark 7 -j MASQUERADE")
  }

  static let neighbours: [Neighbour] = [
    Neighbour(
      name: "Docker by iptables-nft", rules: docker("iptables-nft"), damage: both("iptables-nft", "-F DOCKER-USER"),
      said: "DOCKER-USER", needs: [.iptables]),
    Neighbour(
      name: "Docker by iptables-legacy", rules: docker("iptables-legacy"),
      damage: both("iptables-legacy", "-F DOCKER-USER", "-A DOCKER-USER -j RETURN"), said: "DOCKER-USER",
      needs: [.iptablesLegacy]),
    Neighbour(
      name: "Docker in both worlds", rules: docker("iptables-nft") + "\n" + docker("iptables-legacy"),
      damage: "nft delete table inet wirehook\n"
        + both("iptables-legacy", "-F DOCKER-USER", "-A DOCKER-USER -j RETURN"),
      said: "inet wirehook", needs: [.iptables, .iptablesLegacy]),
    Neighbour(
      name: "ufw, which admits forwarded packets",
      rules: both(
        "iptables-nft", "-P INPUT DROP", "-N ufw-before-input", "-A INPUT -j ufw-before-input",
        "-A ufw-before-input -i lo -j ACCEPT",
        "-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-N ufw-user-input",
        "-A ufw-before-input -j ufw-user-input", "-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT",
        "-N ufw-before-forward", "-A FORWARD -j ufw-before-forward",
        "-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A ufw-before-forward -i wh+ -j ACCEPT", "-A ufw-before-forward -o wh+ -j ACCEPT", "-P FORWARD DROP")
        + "\nip6tables-nft -w -I INPUT -p ipv6-icmp -j ACCEPT",
      damage: "nft delete table inet wirehook", said: "inet wirehook", needs: [.iptables]),
    Neighbour(
      name: "a user's own tables",
      rules: """
        nft -f - <<'END'
        table inet mine {
          set bad { type ipv4_addr; flags interval; elements = { 203.0.113.0/24 }; }
          chain forward {
            type filter hook forward priority filter; policy drop
            ip saddr @bad drop
            ct state established,related accept
            oifname "wh*" ct status dnat accept
            iifname "wh*" accept
          }
        }
        table ip nat {
          chain PREROUTING { type nat hook prerouting priority dstnat; tcp dport 2222 dnat to 192.168.5.2:22; }
          chain POSTROUTING { type nat hook postrouting priority srcnat; oifname "up0" ip saddr 192.168.5.0/24 masquerade; }
        }
        END
        """, damage: "nft flush table inet wirehook", said: "inet wirehook"),
  ]

  @Test(arguments: neighbours.filter { $0.needs.allSatisfy(\.isThere) })
  func oursComesBackInOneRunAndTheirsStays(_ neighbour: Neighbour) throws {
    try Sandbox.with { host in
      try script(neighbour.rules, host)
      let theirs = try others(host)
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      try expectReachable(web, host)
      #expect(try host.wirehook("check").exitCode == 0)
      #expect(try drops(host) == [])
      #expect(try others(host) == theirs, "after the attach")
      try script(neighbour.damage, host)
      let seen = try host.wirehook("check")
      #expect(seen.exitCode == 1 && seen.stdout.contains(neighbour.said), "\(seen)")
      let damaged = try others(host)
      let repaired = try host.wirehook("repair")
      #expect(repaired.exitCode == 0, "\(repaired)")
      #expect(try host.wirehook("check").exitCode == 0)
      try expectReachable(web, host)
      #expect(try others(host) == damaged, "after the repair")
    }
  }

  /// Podman's own network tool, with a container of its own beside ours.
  @Test(.enabled(if: Netavark.isThere, "needs netavark and iptables"))
  func besideNetavarkBothPortsAnswer() throws {
    try Sandbox.with { host in
      let pod = try host.container("pod")
      try Netavark.setUp(pod, port: 9090, host)
      try pod.serve(80)
      let theirs = try others(host)
      #expect(theirs.contains { $0.contains("NETAVARK") })
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let answer = {
        try expectReachable(web, host)
        for place in [host.outside, host, web] as [any Place] {
          #expect(try place.ask("192.168.77.1", 9090).server == "pod", "\(place.name)")
        }
        #expect(try pod.ask("192.168.77.1", 8080).server == "web")
      }
      try answer()
      #expect(try drops(host) == [])
      try host.nft("delete table inet wirehook")
      #expect(try host.wirehook("repair").exitCode == 0)
      try answer()
      #expect(try others(host) == theirs)
    }
  }

  /// Everything of everybody's is flushed: ours comes back, theirs is for them.
  @Test func afterAFlushOfAllOnlyOursComesBack() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      try script("nft add table inet mine; nft flush ruleset", host)
      #expect(try host.wirehook("check").exitCode == 1)
      #expect(try host.wirehook("repair").exitCode == 0)
      try expectReachable(web, host)
      #expect(try host.sh("nft list tables") == "table inet wirehook\ntable bridge wirehook\n")
    }
  }

  private func expectReachable(_ web: Container, _ host: Sandbox) throws {
    let server = try host.outside.serve(7)
    defer { server.stop() }
    for (own, other) in [("192.168.77.1", "192.168.77.2"), ("fd77::1", "fd77::2")] {
      #expect(try host.outside.ask(own, 8080).server == web.name, "\(own)")
      #expect(try web.ask(other, 7).client == own, "\(other)")
    }
  }

  /// Everything but our table and our two rules in DOCKER-USER, without counters.
  private func others(_ host: Sandbox) throws -> [String] {
    var texts = try host.sh("nft -s list ruleset").components(separatedBy: "\n}\n")
      .filter { !$0.contains("table inet wirehook") && !$0.contains("table bridge wirehook") }
    if Tool.iptablesLegacy.isThere {
      for tool in ["iptables-legacy", "ip6tables-legacy"] {
        let names = "/proc/thread-self/net/\(tool.hasPrefix("ip6") ? "ip6" : "ip")_tables_names"
        texts.append(try host.run(["sh", "-c", "[ ! -s \(names) ] || \(tool)-save"]).stdout)
      }
    }
    let lines = texts.flatMap { $0.split(separator: "\n") }.filter {
      !$0.contains("wirehook") && !$0.contains("\"wh-front\"") && !$0.hasPrefix("#")
    }
    // `:FORWARD DROP [7:420]`
    return lines.map { line in String(line.hasPrefix(":") ? line.prefix { $0 != "[" } : line) }
  }
}

/// netavark, as Podman starts it.
private enum Netavark {
  static let path = "/usr/lib/podman/netavark"
  static let isThere = Tool.root.isThere && Tool.iptables.isThere && FileManager.default.isExecutableFile(atPath: path)

  static func setUp(_ container: Container, port: Int, _ host: Sandbox) throws {
    let id = String(repeating: "2f25", count: 16)
    let request = """
      {"container_id": "\(id)", "container_name": "\(container.id)",
       "port_mappings": [{"container_port": 80, "host_ip": "", "host_port": \(port), "protocol": "tcp", "range": 1}],
       "networks": {"podman": {"static_ips": ["10.88.0.2"], "interface_name": "eth0"}},
       "network_info": {"podman": {
         "name": "podman", "id": "\(id)", "driver": "bridge", "network_interface": "podman0",
         "created": "2026-01-01T00:00:00Z", "subnets": [{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}],
         "ipv6_enabled": false, "internal": false, "dns_enabled": false, "ipam_options": {"driver": "host-local"}}}}
      """
    let file = "\(host.folder)/netavark.json"
    try request.write(toFile: file, atomically: true, encoding: .utf8)
    let words = [path, "--config", "\(host.folder)/netavark", "--file", file, "setup", container.netns]
    let result = try host.run(words)
    guard result.succeeded else { throw Failure("\(result)") }
  }
}

/// Rules change all the time while containers come and go. Nobody who calls notices.
@Suite(needsRoot) struct UninterruptedTests {
  @Test func noConnectionFailsWhileThreeHundredContainersAreWiredAndOthersComeAndGo() throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "front",
        #"{"driver": "bridge", "bridge": "wh-front", "subnets": [{"subnet": "10.210.0.0/16"}, {"subnet": "fd42:210:4::/64"}]}"#
      )
      // Who calls is what this asks for, not how soon a hook is done on a busy machine.
      try host.writeMain(["timeout_ms": .number(60_000)])
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let callers = ["192.168.77.1", "fd77::1"].map { Caller(host.outside, $0, 8080, expecting: "web") }
      let crowd = try concurrently(Array(0..<300), width: 4) { number in
        try host.started("c\(number)", ["wirehook.ports": "\(10_000 + number):80"])
      }
      for round in 0..<20 {
        let guest = try host.started("guest\(round)", ["wirehook.ports": "9000:90,9001:91/udp"])
        try host.stop(guest)
        if round % 5 == 0 { #expect(try host.wirehook("repair").exitCode == 0) }
      }
      for container in crowd.prefix(20) { try host.stop(container) }
      for caller in callers {
        let (calls, failures) = caller.end()
        #expect(failures == [], "of \(calls) calls")
        #expect(calls > 100)
      }
    }
  }
}

/// Calls a port again and again, on a thread of its own.
private final class Caller: @unchecked Sendable {
  private let lock = NSLock()
  private var isOver = false
  private var calls = 0
  private var failures: [String] = []
  private let done = DispatchSemaphore(value: 0)

  init(_ place: any Place, _ address: String, _ port: UInt16, expecting server: String) {
    Thread { [self] in
      while lock.withLock({ !isOver }) {
        let answer = (try? place.ask(address, port, within: .seconds(8))) ?? .silence
        lock.withLock {
          calls += 1
          if answer.server != server { failures.append("call \(calls): \(answer)") }
        }
      }
      done.signal()
    }.start()
  }

  func end() -> (calls: Int, failures: [String]) {
    lock.withLock { isOver = true }
    done.wait()
    return lock.withLock { (calls, failures) }
  }
}
