import Foundation
import Glibc
import Support
import Testing

/// A machine that is busy, or on which another program holds what we might want.
@Suite(needsRoot, .serialized) struct CrowdLoadTests {
  /// Another MAC at an old address, with eight busy loops beside: the first ping is answered, and no start waits.
  @Test func aReusedAddressAnswersTheFirstPingOnABusyMachineToo() throws {
    try Sandbox.with { host in
      let wanted = ["wirehook.ip": "10.210.4.9,fd42:210:4::9"]
      let old = try host.started("old", wanted.merging(["wirehook.mac": "02:00:00:00:00:01"]) { $1 })
      let other = try host.started("other")
      for place in [host, other] as [any Place] {
        for address in ["10.210.4.9", "fd42:210:4::9"] { #expect(try place.pings(address, attempts: 5, within: 6)) }
      }
      let loops = try (0..<8).map { _ in try Spawn.start(["sh", "-c", "while :; do :; done"]) }
      defer {
        for loop in loops {
          kill(loop, SIGKILL)
          waitpid(loop, nil, 0)
        }
      }
      var last = old
      for round in 2..<6 {
        try host.stop(last)
        last = try host.started("new\(round)", wanted.merging(["wirehook.mac": "02:00:00:00:00:0\(round)"]) { $1 })
        for place in [host, other] as [any Place] {
          #expect(try place.pings("10.210.4.9", within: 2), "\(place.name), round \(round)")
          #expect(try place.pings("fd42:210:4::9", within: 2), "\(place.name), round \(round), IPv6")
        }
      }
    }
  }

  /// Chains of the tables that iptables-nft writes are changed without the lock of the iptables programs.
  @Test(.enabled(if: Tool.iptables.isThere, "needs iptables")) func theLockOfIptablesHoldsUpNobody() throws {
    try Sandbox.with { host in
      try makeDockersChain(host, "iptables")
      let containers = try (0..<32).map { try host.container("c\($0)") }
      let results = try concurrently(containers, width: 32) { container in
        try host.tryAttach(
          container, ["wirehook.ports": "\(8000 + (Int(container.id.dropFirst()) ?? 0)):80"], under: Self.held)
      }
      #expect(results.filter { !$0.succeeded }.map(\.description) == [])
      try containers[7].serve(80)
      #expect(try host.outside.ask(Sandbox.address4, 8007).server == "c7")
    }
  }

  /// In the legacy tables the rules need that lock, once for each network: whoever comes first says what he waited for.
  @Test(.enabled(if: Tool.iptablesLegacy.isThere, "needs iptables-legacy"))
  func theFirstOfANetworkNamesTheLockOfIptablesAndTheOthersDoWithout() throws {
    try Sandbox.with { host in
      try makeDockersChain(host, "iptables-legacy")
      try host.writeMain(["timeout_ms": .number(700)])
      let web = try host.container("web")
      let refused = try host.tryAttach(web, ["wirehook.ports": "8080:80"], under: Self.held)
      expectOneErrorLine(refused, naming: ["/run/xtables.lock"])
      #expect(try web.links() == ["lo"])
      try host.attach(web, ["wirehook.ports": "8080:80"])
      let second = try host.container("second")
      let result = try host.tryAttach(second, ["wirehook.ports": "8081:80"], under: Self.held)
      #expect(result.succeeded, "\(result)")
    }
  }

  /// A /run of its own, in which flock(1) holds the lock as long as the hook runs.
  private static let held = [
    "unshare", "-m", "sh", "-c", "mount -t tmpfs none /run && exec flock /run/xtables.lock \"$@\"", "sh",
  ]

  private func makeDockersChain(_ host: Sandbox, _ tool: String) throws {
    for line in ["-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-I FORWARD -j DOCKER-USER", "-P FORWARD DROP"] {
      try host.sh("\(tool) \(line)")
    }
  }
}
