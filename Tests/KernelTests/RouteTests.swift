import Glibc
import Testing
import WireCore
import WireLinux
import WireNetlink

@Suite(.enabled(if: Machine.hasRoot, "needs root")) struct RouteTests {
  @Test func addressesAreUsableAtOnceAndReadBack() throws {
    try withBridge { socket, bridge in
      let wanted = [
        Address(prefix("10.0.0.1/24"), link: bridge),
        Address(prefix("10.9.9.9/32"), link: bridge, scope: .link),
        Address(prefix("fd00::1/64"), link: bridge),
      ]
      var batch = Batch()
      for address in wanted { batch.addAddress(address) }
      try socket.send(batch, until: .soon)
      let found = try socket.addresses(of: bridge, until: .soon)
      #expect(Set(found.filter { !$0.prefix.address.isLinkLocal }) == Set(wanted))
      #expect(try socket.addresses(of: 1, until: .soon).allSatisfy { $0.prefix.address.isLoopback })

      let shown = try #require(try objects("ip -j addr show dev wh0").first?["addr_info"] as? [[String: Any]])
      #expect(shown.contains { $0["local"] as? String == "10.0.0.1" && $0["broadcast"] as? String == "10.0.0.255" })
      #expect(shown.contains { $0["local"] as? String == "10.9.9.9" && $0["broadcast"] == nil })
      #expect(shown.contains { $0["local"] as? String == "fd00::1" && $0["tentative"] == nil })

      batch = Batch()
      for address in wanted { batch.deleteAddress(address) }
      try socket.send(batch, until: .soon)
      #expect(try socket.addresses(of: bridge, until: .soon).allSatisfy { $0.prefix.address.isLinkLocal })
    }
  }

  @Test func routesAreReadBackAndDeleted() throws {
    try withBridge { socket, bridge in
      try addGateways(socket, bridge)
      var routes = [
        Route(.ipv4, to: nil, via: address("10.0.0.254"), link: bridge),
        Route(.ipv4, to: prefix("10.1.0.0/16"), link: bridge),
        Route(.ipv6, to: nil, via: address("fd00::fe"), link: bridge),
        Route(.ipv6, to: prefix("fd01::/48"), link: bridge),
        Route(.ipv4, to: prefix("10.2.0.0/16"), via: address("192.0.2.1"), link: bridge),
        Route(.ipv4, to: prefix("10.3.0.0/16"), via: address("10.0.0.253")),
      ]
      routes[1].metric = 77
      routes[2].metric = 1024
      routes[3].metric = 1024
      routes[4].isOnLink = true
      routes[5].table = 4242
      routes[5].source = address("10.0.0.1")
      var local = Route(.ipv6, to: Prefix(host: .loopback(.ipv6)), link: bridge)
      local.kind = .local
      local.table = Route.localTable
      local.metric = 1024
      var batch = Batch()
      for route in routes + [local] { batch.addRoute(route) }
      try socket.send(batch, until: .soon)

      // The link of a route by gateway is the kernel's finding.
      routes[5].link = bridge
      let main = try socket.routes(.ipv4, until: .soon) + socket.routes(.ipv6, until: .soon)
      for route in routes[..<5] { #expect(main.contains(route), "\(route)") }
      #expect(try socket.routes(.ipv4, table: 4242, until: .soon) == [routes[5]])
      #expect(try socket.routes(.ipv6, table: Route.localTable, until: .soon).contains(local))
      #expect(try socket.routes(.ipv4, table: 9999, until: .soon).isEmpty)

      let shown = try objects("ip -j route show table all")
      #expect(
        shown.contains { $0["dst"] as? String == "default" && $0["gateway"] as? String == "10.0.0.254" })
      #expect(shown.contains { $0["dst"] as? String == "10.1.0.0/16" && $0["scope"] as? String == "link" })
      #expect(shown.contains { $0["dst"] as? String == "10.3.0.0/16" && $0["table"] as? String == "4242" })
      #expect(
        shown.contains {
          $0["dst"] as? String == "10.2.0.0/16" && ($0["flags"] as? [String])?.contains("onlink") == true
        })

      batch = Batch()
      for route in routes + [local] { batch.deleteRoute(route) }
      try socket.send(batch, until: .soon)
      let left = try socket.routes(.ipv4, until: .soon) + socket.routes(.ipv6, until: .soon)
      for route in routes { #expect(!left.contains(route), "\(route)") }
      let refusals = try socket.attempt(batch, until: .soon)
      #expect(refusals.count == routes.count + 1)
      #expect(refusals.allSatisfy { $0.errno == ESRCH })
    }
  }

  @Test func rulesAreReadBackAndDeleted() throws {
    try withBridge { socket, _ in
      let rules = [
        Rule(.ipv4, from: prefix("10.0.0.0/24"), table: 4242, priority: 1000),
        Rule(.ipv4, from: nil, table: 100, priority: 1001),
        Rule(.ipv6, from: prefix("fd00::5/128"), table: 4242, priority: 1000),
      ]
      var batch = Batch()
      for rule in rules { batch.addRule(rule) }
      try socket.send(batch, until: .soon)
      let found = try socket.rules(.ipv4, until: .soon) + socket.rules(.ipv6, until: .soon)
      for rule in rules { #expect(found.contains(rule), "\(rule)") }
      let shown = try objects("ip -j rule")
      #expect(shown.contains { $0["priority"] as? Int == 1000 && $0["src"] as? String == "10.0.0.0" })

      batch = Batch()
      for rule in rules { batch.deleteRule(rule) }
      try socket.send(batch, until: .soon)
      #expect(try socket.rules(.ipv4, until: .soon).allSatisfy { $0.table >= 253 && $0.table <= 255 })
      #expect(try socket.attempt(batch, until: .soon).allSatisfy { $0.errno == ENOENT })
    }
  }

  @Test func theUplinkIsFoundWithAndWithoutADefaultRoute() throws {
    try withBridge { socket, bridge in
      #expect(try socket.uplink(.ipv4, until: .soon) == nil)
      #expect(try socket.uplink(.ipv6, until: .soon) == nil)
      try addGateways(socket, bridge)
      #expect(try socket.uplink(.ipv4, until: .soon) == nil)
      try shell("ip route add 128.0.0.0/1 via 10.0.0.254; ip -6 route add default via fd00::fe")
      #expect(try socket.uplink(.ipv4, until: .soon) == bridge)
      #expect(try socket.uplink(.ipv6, until: .soon) == bridge)
      try shell("ip route flush exact 128.0.0.0/1; ip route add unreachable default; ip -6 route flush default")
      #expect(try socket.uplink(.ipv4, until: .soon) == nil)
      try shell("ip route replace prohibit default; ip -6 route add blackhole default")
      #expect(try socket.uplink(.ipv4, until: .soon) == nil)
      #expect(try socket.uplink(.ipv6, until: .soon) == nil)
    }
  }
}

private func withBridge(_ body: @escaping @Sendable (borrowing NetlinkSocket, UInt32) throws -> Void) throws {
  try NetworkNamespace.withFresh {
    let container = try Container()
    let socket = try NetlinkSocket(.route)
    let bridge = try makeBridge(socket)
    var batch = Batch()
    // A bridge without a port has no carrier, and IPv6 then no routes.
    batch.createVeth(
      try name("whabc"), LinkSettings(master: bridge, isUp: true), peer: try name("eth0"), LinkSettings(),
      in: container.namespace)
    batch.setLink(.index(1), LinkSettings(isUp: true))
    try socket.send(batch, until: .soon)
    try container.run {
      var batch = Batch()
      batch.setLink(.name(try name("eth0")), LinkSettings(isUp: true))
      try NetlinkSocket(.route).send(batch, until: .soon)
    }
    try body(socket, bridge)
  }
}

private func addGateways(_ socket: borrowing NetlinkSocket, _ bridge: UInt32) throws {
  var batch = Batch()
  batch.addAddress(Address(prefix("10.0.0.1/24"), link: bridge))
  batch.addAddress(Address(prefix("fd00::1/64"), link: bridge))
  try socket.send(batch, until: .soon)
}
